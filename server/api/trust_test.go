package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"patchbay/wire"
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
	_, approver := key()
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
	do[Problem](w, 404, "POST", "/trust/approvals/draft", map[string]any{"needs": []string{"nothing"}})
}
