package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/documents"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// What is not there is said in words, until it is there.
func TestTrustSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t, false).populated()
	before := do[Trust](w, 200, "GET", "/trust", nil)
	if before.Root != nil || before.ServerKey == "" || len(before.Missing) != 1 || !strings.Contains(before.Missing[0], "stolen server") {
		t.Errorf("%+v", before)
	}
	key := func() (ed25519.PrivateKey, wire.Role) {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k, wire.Role{Keys: [][]byte{k.Public().(ed25519.PublicKey)}, Threshold: 1}
	}
	rootKey, root := key()
	publisherKey, publisher := key()
	approverKey, approver := key()
	seal := func(docType string, v any, k ed25519.PrivateKey) wire.Envelope {
		e, err := wire.Seal(docType, v, k)
		if err != nil {
			t.Fatal(err)
		}
		return *e
	}
	document := seal(wire.RootDocument, wire.Root{Version: 1, Installation: "inst_1", IssuedAt: w.now, Expires: w.now.Add(365 * 24 * time.Hour),
		Root: root, Publisher: publisher, Approver: approver}, rootKey)
	after := do[Trust](w, 201, "POST", "/trust/documents", document)
	if after.Root == nil || after.Root.Version != 1 || len(after.Root.Roles) != 4 || len(after.Missing) != 2 {
		t.Errorf("%+v", after)
	}
	if p := do[Problem](w, 409, "POST", "/trust/documents", document); !strings.Contains(p.Detail, "Nothing was changed") {
		t.Errorf("published again: %+v", p)
	}
	limits := wire.Limits{Version: 1, Root: 1, IssuedAt: w.now, Expires: w.now.Add(90 * 24 * time.Hour), Verbs: []string{wire.VerbInstall},
		Sources: []wire.LimitSource{{Provider: "apt"}}, DevicesPerHour: 10, Fleet: 100}
	do[Problem](w, 409, "POST", "/trust/documents", seal(wire.LimitsDocument, limits, rootKey))
	if after = do[Trust](w, 201, "POST", "/trust/documents", seal(wire.LimitsDocument, limits, publisherKey)); after.Limits == nil || len(after.Missing) != 1 {
		t.Errorf("%+v", after)
	}
	limits.Version, limits.Expires = 2, w.now.Add(20*24*time.Hour)
	do[Trust](w, 201, "POST", "/trust/documents", seal(wire.LimitsDocument, limits, publisherKey))
	if o := do[view.Overview](w, 200, "GET", "/overview", nil); len(o.Attention) == 0 || o.Attention[len(o.Attention)-1].Kind != trustEnds || o.Attention[len(o.Attention)-1].Link.Page != "settings" {
		t.Errorf("the overview does not end with limits that end soon: %+v", o.Attention)
	}
	do[Problem](w, 404, "POST", "/trust/approvals/draft", map[string]any{"needs": []string{"nothing"}})
	w.drafts(approverKey, rootKey)
}

// drafts drafts an approval for two devices of three, has it signed, and publishes it.
func (w *world) drafts(approver, other ed25519.PrivateKey) {
	w.t.Helper()
	devices := []string{w.enrolled("db-01"), w.enrolled("db-02")}
	w.fleet.need(w.device, "vim", "3", verdict.WAITS_DECISION, verdict.Decided, patch.Security)
	var needs, agents []string
	for _, id := range devices {
		needs = append(needs, w.fleet.need(id, "openssl", "3", verdict.WAITS_DECISION, verdict.Decided, patch.Security))
		agents = append(agents, w.keyName(id))
	}
	d := do[Draft](w, 200, "POST", "/trust/approvals/draft", map[string]any{"needs": needs, "note": "tonight"})
	var a wire.Approval
	if err := json.Unmarshal(d.Document.Payload, &a); err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(agents)
	if !slices.Equal(a.Agents, agents) || len(a.Updates) != 1 || a.Updates[0].Name != "openssl" || a.Forced || a.Note != "tonight" || len(d.Names) != 2 {
		w.t.Errorf("drafted %+v for %v", a, d.Names)
	}
	wrong := d.Document
	if err := wrong.Sign(other); err != nil {
		w.t.Fatal(err)
	}
	do[Problem](w, 409, "POST", "/trust/documents", wrong)
	if err := d.Document.Sign(approver); err != nil {
		w.t.Fatal(err)
	}
	do[Trust](w, 201, "POST", "/trust/documents", d.Document)
	for _, id := range append(devices, w.device) {
		held, named := w.options.Documents.(*documents.Documents).Approvals(w.t.Context(), w.keyName(id)), slices.Contains(devices, id)
		if (len(held) == 1) != named {
			w.t.Errorf("%s has %d approvals, and is named: %v", id, len(held), named)
		}
	}
}

// keyName is what documents call the key of a device's agent.
func (w *world) keyName(device string) string {
	w.t.Helper()
	h := w.store.Customer(store.Who{ID: "test"}, w.customer)
	d, err := h.Device(w.t.Context(), device)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := h.Agent(w.t.Context(), d.Agent)
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := x509.ParsePKIXPublicKey(a.PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	name, err := wire.KeyName(key)
	if err != nil {
		w.t.Fatal(err)
	}
	return name
}

// Whether the root and the limits hold, for how long they do, and what that means, is said
// for every combination of both.
func TestTrustSaysWhatEnds(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	ends := map[string]time.Time{"far": now.Add(soon), "near": now.Add(soon - 1), "last": now.Add(1), "now": now, "past": now.Add(-soon)}
	kind := map[string]string{"far": "", "near": "trust_ends", "last": "trust_ends", "now": "trust_ended", "past": "trust_ended"}
	if l := lapses(trust.State{}, now); len(l) != 0 {
		t.Errorf("without keys: %+v", l)
	}
	said := func(s trust.State, want ...string) {
		t.Helper()
		var got []string
		for _, l := range lapses(s, now) {
			got = append(got, l.Kind)
			if !slices.Contains(missing(s, now), l.Sentence) {
				t.Errorf("missing does not say: %s", l.Sentence)
			}
		}
		if want = slices.DeleteFunc(want, func(k string) bool { return k == "" }); !slices.Equal(got, want) {
			t.Errorf("root until %s, limits %v: %v, not %v", s.Root.Expires, s.Limits, got, want)
		}
		if lapsed := s.Lapsed(now) != ""; lapsed != slices.Contains(got, "trust_ended") {
			t.Errorf("agents are lapsed: %v; said: %v", lapsed, got)
		}
	}
	for r, root := range ends {
		said(trust.State{Root: &wire.Root{Expires: root}}, kind[r])
		said(trust.State{Root: &wire.Root{Expires: root, Limits: 1}}, kind[r], "trust_ended")
		for l, limits := range ends {
			said(trust.State{Root: &wire.Root{Expires: root, Limits: 1}, Limits: &wire.Limits{Expires: limits}}, kind[r], kind[l])
		}
	}
	s := trust.State{Root: &wire.Root{Expires: ends["past"]}, Limits: &wire.Limits{Expires: ends["near"]}}
	list := withLapses([]view.Attention{{Kind: "failed"}, {Kind: "silent"}}, lapses(s, now))
	if list[0].Kind != trustEnded || list[1].Kind != "failed" || list[len(list)-1].Kind != trustEnds {
		t.Errorf("in this order: %+v", list)
	}
}
