package server

import (
	"cmp"
	"context"
	"net/netip"
	"path/filepath"

	"patchbay/patch"
	"patchbay/server/content"
)

// Content says where the files lie that agents install from, and how much they may be.
type Content struct {
	Path   string         // the folder; "" is content in the data folder. Several servers share it
	Budget int64          // bytes; 0 is 50 GiB
	Allow  []netip.Prefix // networks that are not on the internet and may be fetched from
}

func (s *Server) openContent(ctx context.Context) (err error) {
	o := s.Content
	s.Shelf, err = content.Open(ctx, content.Options{Path: cmp.Or(o.Path, filepath.Join(s.Data, "content")), Server: s.Data, Store: s.Store,
		Budget: o.Budget, Named: s.named, Allow: o.Allow, Around: s.Around, Now: s.Now, Log: s.Log})
	return err
}

// named says as what the newest signed catalogue names a file, "" when it does not.
func (s *Server) named(sha256 string) string {
	if index := s.catalog.Load(); index != nil {
		return index.Named(sha256)
	}
	return ""
}

// SetCatalog says which packages the newest signed catalogue has. Their files are kept, and
// every agent may read them.
func (s *Server) SetCatalog(packages []patch.Package) {
	index := content.NewIndex(packages)
	s.catalog.Store(&index)
}
