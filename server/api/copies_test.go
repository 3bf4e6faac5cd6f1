package api

import (
	"testing"

	"patchbay/patch"
	"patchbay/server/rival"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// A copy and its original name each other, and a device that was set back says when.
func TestADeviceSaysThatItIsACopyAndOfWhich(t *testing.T) {
	w := newWorld(t, false).populated()
	h := w.store.Customer(store.Who{ID: "system", Name: "the server"}, w.customer)
	original, err := h.Device(t.Context(), w.device)
	if err != nil {
		t.Fatal(err)
	}
	spoken, err := h.Speak(t.Context(), w.now, original.Agent, "boot of the copy", "nonce", "word", func(r rival.Record) rival.Decision {
		r.Others = []rival.Other{{Boot: "boot of the copy", First: w.now, Last: w.now, Copy: true}}
		return rival.Decision{Answer: rival.Become, Sign: rival.Copied, Changed: true, Record: r}
	})
	if err != nil {
		t.Fatal(err)
	}
	agent := store.Agent{ID: patch.NewID(patch.AgentID), PublicKey: []byte("another")}
	_, copied, err := h.Become(t.Context(), w.now, original.Agent, spoken.Word, agent, store.Device{ID: patch.NewID(patch.DeviceID), Facts: wire.Facts{Hostname: "web-01-copy"}})
	if err != nil {
		t.Fatal(err)
	}
	w.fleet.add(view.Device{ID: copied.ID, Name: "web-01-copy", Customer: view.Ref{ID: w.customer}})
	_, err = h.Speak(t.Context(), w.now, original.Agent, "boot", "nonce", "word", func(r rival.Record) rival.Decision {
		return rival.Decision{Answer: rival.Accept, Sign: rival.Restored, Changed: true, Record: r}
	})
	if err != nil {
		t.Fatal(err)
	}
	of := do[view.DeviceDetail](w, 200, "GET", "/devices/"+copied.ID, nil)
	if of.CopyOf == nil || *of.CopyOf != (view.Ref{ID: w.device, Name: original.Name}) || len(of.Copies) != 0 || of.SetBack != nil {
		t.Errorf("the copy: %+v %+v %v", of.CopyOf, of.Copies, of.SetBack)
	}
	from := do[view.DeviceDetail](w, 200, "GET", "/devices/"+w.device, nil)
	if from.CopyOf != nil || len(from.Copies) != 1 || from.Copies[0] != (view.Ref{ID: copied.ID, Name: "web-01-copy"}) || from.SetBack == nil || !from.SetBack.Equal(w.now) {
		t.Errorf("the original: %+v %+v %v", from.CopyOf, from.Copies, from.SetBack)
	}
}
