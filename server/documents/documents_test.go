package documents

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/server/ca"
	"patchbay/server/store"
	"patchbay/wire"
	"patchbay/wire/trust"
)

var ann = store.Who{ID: "per_ann", Name: "Ann"}

// scene is an MSP with keys that no server has, and its server.
type scene struct {
	t                        *testing.T
	root, publisher, someone ed25519.PrivateKey
	authority                *ca.Authority
	store                    *store.Store
	now                      time.Time
	addresses                []string
	*Documents
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, root: newKey(t), publisher: newKey(t), someone: newKey(t), now: time.Now().UTC().Truncate(time.Second), addresses: []string{"https://a.example:8421"}}
	var err error
	if s.authority, err = ca.Open(t.TempDir(), s.now); err != nil {
		t.Fatal(err)
	}
	if s.store, err = store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	s.open()
	return s
}

// open starts the server's documents anew, as after a restart.
func (s *scene) open() {
	s.t.Helper()
	var err error
	s.Documents, err = Open(context.Background(), Options{Store: s.store, Key: s.authority.OrdersKey(), Authority: s.authority.Certificate.Raw,
		Addresses: s.addresses, Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
}

func role(keys ...ed25519.PrivateKey) wire.Role {
	r := wire.Role{Threshold: 1}
	for _, k := range keys {
		r.Keys = append(r.Keys, k.Public().(ed25519.PublicKey))
	}
	return r
}

func (s *scene) seal(docType string, payload any, key ed25519.PrivateKey) wire.Envelope {
	s.t.Helper()
	e, err := wire.Seal(docType, payload, key)
	if err != nil {
		s.t.Fatal(err)
	}
	return *e
}

func (s *scene) rootOf(version int64) wire.Envelope {
	return s.seal(wire.RootDocument, wire.Root{Version: version, Installation: "inst_1", IssuedAt: s.now, Expires: s.now.Add(365 * 24 * time.Hour),
		Root: role(s.root), Publisher: role(s.publisher), Approver: role(s.someone), Limits: 1}, s.root)
}

func (s *scene) limitsOf(version int64, key ed25519.PrivateKey) wire.Envelope {
	return s.seal(wire.LimitsDocument, wire.Limits{Version: version, Root: 1, IssuedAt: s.now, Expires: s.now.Add(90 * 24 * time.Hour), Verbs: []string{wire.VerbInstall},
		Sources: []wire.LimitSource{{Provider: "apt"}}}, key)
}

func (s *scene) publish(e wire.Envelope) {
	s.t.Helper()
	if err := s.Publish(context.Background(), ann, e); err != nil {
		s.t.Fatal(err)
	}
}

// reader follows what it is told from where it stands, and says how many replies it took.
func (s *scene) follow(state trust.State) (trust.State, int) {
	s.t.Helper()
	for replies := 1; ; replies++ {
		told, err := s.For(context.Background(), state.Held(), []string{wire.CanCatalog}, false)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(told) == 0 || replies > 20 {
			return state, replies
		}
		for i := range told {
			if state, err = state.Take(&told[i]); err != nil {
				s.t.Fatalf("a reader at %+v was told what it cannot take: %v", state.Held(), err)
			}
		}
	}
}

func (s *scene) enrolled() trust.State {
	s.t.Helper()
	state := trust.State{Orders: [][]byte{s.Documents.Key.Public().(ed25519.PublicKey)}, Authorities: [][]byte{s.authority.Certificate.Raw},
		Addresses: s.addresses}
	told, err := s.Newest(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range told {
		if state, err = state.Take(&told[i]); err != nil {
			s.t.Fatal(err)
		}
	}
	return state
}

// From wherever a reader stands it comes to what is newest, and then is told nothing more.
func TestReadersReachWhatIsNewest(t *testing.T) {
	s := newScene(t)
	before := s.enrolled() // before there was a root
	s.publish(s.rootOf(1))
	var stood []trust.State
	stood = append(stood, before, s.enrolled())
	s.publish(s.limitsOf(1, s.publisher))
	stood = append(stood, s.enrolled())
	for v := int64(2); v <= 45; v++ {
		s.publish(s.rootOf(v))
	}
	s.publish(s.limitsOf(2, s.publisher))
	stood = append(stood, s.enrolled())
	for i, state := range stood {
		got, replies := s.follow(state)
		if got.Root == nil || got.Root.Version != 45 || got.Limits == nil || got.Limits.Version != 2 || replies > 5 {
			t.Errorf("reader %d stands at %+v after %d replies", i, got.Held(), replies)
		}
	}
}

func TestTheServerSaysAnewWhereItIs(t *testing.T) {
	s := newScene(t)
	state := s.enrolled()
	s.open() // nothing changed
	if told, err := s.For(t.Context(), state.Held(), []string{wire.CanCatalog}, false); err != nil || len(told) != 0 {
		t.Errorf("a restart told %d documents, %v", len(told), err)
	}
	s.addresses = []string{"https://b.example:8421", "https://a.example:8421"}
	s.open()
	if got, _ := s.follow(state); len(got.Addresses) != 2 || got.Addresses[0] != "https://b.example:8421" {
		t.Errorf("%v", got.Addresses)
	}
}

func TestTheTimeIsSignedOnceASecond(t *testing.T) {
	s := newScene(t)
	one := func() string {
		told, err := s.For(t.Context(), s.enrolled().Held(), nil, true)
		if err != nil || len(told) != 1 || told[0].Type != wire.TimeDocument {
			t.Fatalf("%+v, %v", told, err)
		}
		return string(told[0].Payload)
	}
	first := one()
	if one() != first {
		t.Error("signed twice in a second")
	}
	s.now = s.now.Add(time.Second)
	if one() == first {
		t.Error("not signed anew")
	}
}

func TestOnlyWhatFollowsIsPublished(t *testing.T) {
	s := newScene(t)
	refused := func(e wire.Envelope, want string) {
		t.Helper()
		var r *store.Refusal
		if err := s.Publish(t.Context(), ann, e); !errors.As(err, &r) || !strings.Contains(r.Sentence, want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	refused(s.limitsOf(1, s.publisher), "not signed by enough")
	refused(s.rootOf(2), "version 1")
	s.publish(s.rootOf(1))
	refused(s.rootOf(1), "as new as")
	refused(s.rootOf(3), "missing")
	refused(s.limitsOf(1, s.someone), "not signed by enough")
	refused(s.limitsOf(1, s.authority.OrdersKey()), "not signed by enough")
	refused(s.seal(wire.OrdersDocument, wire.Orders{}, s.root), "Only roots")
	s.publish(s.limitsOf(1, s.publisher))
	refused(s.limitsOf(1, s.publisher), "as new as")
	thief := *s
	thief.root = newKey(t)
	refused(thief.rootOf(2), "not signed by enough")
	root := s.seal(wire.RootDocument, wire.Root{Version: 2, Installation: "inst_1", IssuedAt: s.now, Expires: s.now.Add(time.Hour), Root: role(s.root),
		Server: role(newKey(t))}, s.root)
	refused(root, "does not name this server's key")
}

func TestSignedApprovalsReachTheAgentsTheyName(t *testing.T) {
	s := newScene(t)
	s.publish(s.rootOf(1))
	a := wire.Approval{ID: "apv_1", Root: 1, IssuedAt: s.now, Expires: s.now.Add(time.Hour), Agents: []string{"p256:aa"},
		Updates: []wire.ApprovedUpdate{{Provider: "apt", Name: "curl", To: "2"}}}
	if err := s.Publish(t.Context(), ann, s.seal(wire.ApprovalDocument, a, s.publisher)); err == nil {
		t.Error("one that no approver signed was published")
	}
	s.publish(s.seal(wire.ApprovalDocument, a, s.someone))
	if got := s.Approvals(t.Context(), "p256:aa"); len(got) != 1 {
		t.Errorf("%d", len(got))
	}
	if got := s.Approvals(t.Context(), "p256:bb"); len(got) != 0 {
		t.Errorf("another agent is told %d", len(got))
	}
	s.now = s.now.Add(2 * time.Hour)
	if got := s.Approvals(t.Context(), "p256:aa"); len(got) != 0 {
		t.Error("it is told after its end")
	}
}
