package crash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"

	"patchbay/client"
	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/view"
)

// contentScenes are what happens to the files that agents install from.
func contentScenes() map[string]scene {
	return map[string]scene{
		"files come and go": {from: "joined", want: one(waiting, "curl"), play: func(w *world) {
			m := w.offered("curl")
			stays, goes := bytes.Repeat([]byte("stays"), 1000), []byte("goes")
			w.sends(stays)
			w.promised("of a file", func(*store.Store) bool { return w.hasFile(stays) })
			w.sends(goes)
			w.gets(m, stays)
			w.drops(goes)
			w.promised("that a file is gone", func(*store.Store) bool { return !w.hasFile(goes) })
			w.sends(stays) // once more
			w.gets(m, stays)
		}},
	}
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// hasFile reports whether a file is listed and reads as it should. A file in its place that is
// not what it is named by is a fault, whenever it is looked at.
func (w *world) hasFile(data []byte) bool {
	_, err := w.server.Store.MSP(who).Content(w.t.Context(), hashOf(data))
	f, _, open := w.server.Shelf.Read(hashOf(data))
	if open != nil {
		if err == nil {
			w.fault("a file is listed and is not there: %v", open)
		}
		return false
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, data) {
		w.fault("a file holds %d other bytes, %v", len(got), err)
	}
	return err == nil
}

// sends has the person send a file.
func (w *world) sends(data []byte) {
	w.do("a person sends a file", func() error {
		_, err := client.Upload[view.Content](w.t.Context(), w.client(), "/content/"+hashOf(data), url.Values{}, bytes.NewReader(data), int64(len(data)))
		return err
	})
}

// drops has the person remove a file. Who got no answer finds it gone.
func (w *world) drops(data []byte) {
	w.do("a person removes a file", func() error {
		_, err := asks[any](w, "DELETE", "/content/"+hashOf(data), nil)
		var missing *client.Problem
		if errors.As(err, &missing) && missing.Status == 404 {
			return nil
		}
		return err
	})
}

// gets has a machine get a file that the catalogue names, whole.
func (w *world) gets(m *machine, data []byte) {
	w.do(m.name+" gets a file", func() error {
		w.server.SetCatalog([]patch.Package{{Name: "Tool", Releases: []patch.Release{{Version: "2", Installers: []patch.Installer{{SHA256: hashOf(data)}}}}}})
		p, err := m.link.Content(w.t.Context(), hashOf(data), 0)
		if err != nil {
			return err
		}
		defer p.Body.Close()
		got, err := io.ReadAll(p.Body)
		if err == nil && !bytes.Equal(got, data) {
			err = fmt.Errorf("%d other bytes came", len(got))
			w.fault("%v", err)
		}
		return err
	})
}
