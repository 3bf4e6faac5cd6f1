package api

import (
	"context"
	"net/http"
	"strings"

	"patchbay/server/catalog/advisory"
	"patchbay/server/view"
)

// FindingsParams are what the list of findings takes.
type FindingsParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
	Device   string `query:"device" maxLength:"60"`
}

func (s *Server) findings(_ context.Context, in *FindingsParams) (*Out[view.Page[view.ExposedTo]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	f.Customer, f.Site, f.Device = in.Customer, in.Site, in.Device
	return page(s.Fleet.Findings(f), f, s.Now()), nil
}

// FindingPath names a CVE, or an advisory that stands for none.
type FindingPath struct {
	Finding  string `path:"finding" maxLength:"100"`
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
}

func (s *Server) finding(_ context.Context, in *FindingPath) (*Out[view.Exposure], error) {
	if !advisory.IsID(in.Finding) || !strings.Contains(in.Finding, "-") {
		return nil, problem(http.StatusNotFound, "This is neither a CVE number, such as CVE-2024-6387, nor the ID of an advisory.")
	}
	return out(s.Fleet.Exposed(s.Now(), view.Filter{Customer: in.Customer, Site: in.Site}, in.Finding)), nil
}

func (s *Server) deviceFindings(ctx context.Context, in *DevicePath) (*Out[view.DeviceFindings], error) {
	if _, _, err := s.found(ctx, in.Device); err != nil {
		return nil, err
	}
	return out(s.Fleet.DeviceFindings(in.Device)), nil
}
