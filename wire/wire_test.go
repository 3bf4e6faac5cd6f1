package wire

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
)

func keys(t testing.TB) (ed25519.PrivateKey, *ecdsa.PrivateKey) {
	t.Helper()
	_, server, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return server, agent
}

func TestEnvelopeOpensOnlyAsItWasSealed(t *testing.T) {
	server, agent := keys(t)
	other, _ := keys(t)
	for _, key := range []Key{server, agent} {
		sealed, err := Seal(OrdersDocument, Orders{Agent: "agt_1"}, key)
		if err != nil {
			t.Fatal(err)
		}
		var o Orders
		if _, err := sealed.Open(OrdersDocument, &o, key.Public()); err != nil || o.Agent != "agt_1" {
			t.Errorf("%T: %+v, %v", key, o, err)
		}
		for name, spoil := range map[string]func(*Envelope) (string, []crypto.PublicKey){
			"another type asked for": func(*Envelope) (string, []crypto.PublicKey) { return ReceiptDocument, []crypto.PublicKey{key.Public()} },
			"another type written": func(e *Envelope) (string, []crypto.PublicKey) {
				e.Type = ReceiptDocument
				return ReceiptDocument, []crypto.PublicKey{key.Public()}
			},
			"another key": func(*Envelope) (string, []crypto.PublicKey) {
				return OrdersDocument, []crypto.PublicKey{other.Public()}
			},
			"no key": func(*Envelope) (string, []crypto.PublicKey) { return OrdersDocument, nil },
			"payload bent": func(e *Envelope) (string, []crypto.PublicKey) {
				e.Payload = []byte(strings.Replace(string(e.Payload), "agt_1", "agt_2", 1))
				return OrdersDocument, []crypto.PublicKey{key.Public()}
			},
			"signature bent": func(e *Envelope) (string, []crypto.PublicKey) {
				e.Signatures[0].Sig = append([]byte{}, e.Signatures[0].Sig...)
				e.Signatures[0].Sig[len(e.Signatures[0].Sig)-1] ^= 1
				return OrdersDocument, []crypto.PublicKey{key.Public()}
			},
			"no signature": func(e *Envelope) (string, []crypto.PublicKey) {
				e.Signatures = nil
				return OrdersDocument, []crypto.PublicKey{key.Public()}
			},
			"another's name on it": func(e *Envelope) (string, []crypto.PublicKey) {
				name, _ := KeyName(other.Public())
				e.Signatures = []Signature{{name, e.Signatures[0].Sig}}
				return OrdersDocument, []crypto.PublicKey{other.Public()}
			},
		} {
			bent := *sealed
			bent.Signatures = append([]Signature{}, sealed.Signatures...)
			docType, with := spoil(&bent)
			var o Orders
			if _, err := bent.Open(docType, &o, with...); !errors.Is(err, ErrSignature) || o.Agent != "" {
				t.Errorf("%T, %s: opened as %+v, %v", key, name, o, err)
			}
		}
	}
}

// Equal wishes have equal IDs; wishes that differ in anything that makes them another job
// do not.
func TestJobIDTellsJobsApart(t *testing.T) {
	part := rapid.StringMatching(`[a-z0-9:]{0,3}`)
	type wish struct {
		device, verb, decision string
		target                 Target
		attempt                int
	}
	draw := func(t *rapid.T, label string) wish {
		return wish{part.Draw(t, label), VerbInstall, part.Draw(t, label),
			Target{Provider: part.Draw(t, label), Name: part.Draw(t, label), From: part.Draw(t, label), To: part.Draw(t, label)},
			rapid.IntRange(1, 3).Draw(t, label)}
	}
	id := func(w wish) string { return JobID(w.device, w.verb, w.target, w.decision, w.attempt) }
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		if (id(a) == id(b)) != (a == b) {
			t.Fatalf("%+v and %+v: %s and %s", a, b, id(a), id(b))
		}
	})
}

func TestTokenReadsBackAndRefusesTheRest(t *testing.T) {
	token := Token{Secret: patch.NewID("pbt"), Pin: PinOf([]byte("key"))}
	if back, err := ParseToken(" " + token.String() + "\n"); err != nil || back != token {
		t.Errorf("%v, %v", back, err)
	}
	for _, bad := range []string{"", "pbt_", "pbt_x.y", token.Secret, token.String() + "0", "xyz" + token.String(), token.Secret + "." + strings.Repeat("z", 32)} {
		_, err := ParseToken(bad)
		if !errors.Is(err, ErrToken) || bad != "" && bad != "pbt_" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestDigestIsOfWhatSectionsSay(t *testing.T) {
	a := Section{Name: "host", Hash: "sha256:00", State: SectionOK, ScannedAt: at}
	b := a
	b.ScannedAt = later
	if Digest([]Section{a}) != Digest([]Section{b}) {
		t.Error("a section read again with the same result is another section")
	}
	for _, bend := range []func(*Section){func(s *Section) { s.Hash = "x" }, func(s *Section) { s.State = SectionFailed },
		func(s *Section) { s.Error = "x" }, func(s *Section) { s.Name = "x" }} {
		b := a
		bend(&b)
		if Digest([]Section{a}) == Digest([]Section{b}) {
			t.Errorf("%+v has the digest of %+v", b, a)
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"v":1,"agent":"agt_1","devices":[{"device":"dev_1","digest":"x"}]}`))
	f.Add([]byte(`{"type":"patchbay/orders/v1","payload":"e30=","signatures":[{"key":"ed25519:00","sig":"AA=="}]}`))
	server, _ := keys(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var in CheckIn
		json.Unmarshal(text, &in)
		var e Envelope
		if json.Unmarshal(text, &e) == nil {
			var o Orders
			if _, err := e.Open(OrdersDocument, &o, server.Public()); err == nil {
				t.Fatalf("opened what nobody signed: %s", text)
			}
		}
		ParseToken(string(text))
	})
}

// TestReboots: what a reader does not know, or what is beyond the limits, allows no reboot; an
// older server's yes is the window, and an older agent is told nothing but that.
func TestReboots(t *testing.T) {
	ask := Reboots{When: RebootAsk, Postpone: 3, DeadlineHours: 48, Daily: 2}
	for text, want := range map[string]Reboots{
		`{}`:                               {When: RebootNever},
		`{"reboot":true}`:                  {When: RebootWindow},
		`{"reboot":true,"reboots":{}}`:     {When: RebootNever},
		`{"reboots":{"when":"window"}}`:    {When: RebootWindow},
		`{"reboots":{"when":"sometimes"}}`: {When: RebootNever},
		`{"reboots":{"when":"ask"}}`:       {When: RebootNever},
		`{"reboots":{"when":"ask","postpone":3,"deadline_hours":48,"daily":2}}`: ask,
		`{"reboots":{"when":"ask","postpone":-1,"deadline_hours":48}}`:          {When: RebootNever},
		`{"reboots":{"when":"ask","deadline_hours":100000,"daily":2}}`:          {When: RebootNever, Daily: 2},
		`{"reboots":{"when":"window","daily":-1}}`:                              {When: RebootNever, Daily: -1},
		`{"reboot":true,"reboots":{"when":"never"}}`:                            {When: RebootNever},
		`{"reboots":{"when":"window","daily":0,"hourly":5},"reboot_now":true}`:  {When: RebootWindow},
		`{"reboots":{"when":"ask","postpone":21,"deadline_hours":1}}`:           {When: RebootNever},
		`{"reboots":{"when":"ask","postpone":0,"deadline_hours":1}}`:            {When: RebootAsk, DeadlineHours: 1},
		`{"reboots":{"when":"ask","postpone":0,"deadline_hours":337}}`:          {When: RebootNever},
	} {
		var d DeviceOrders
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if got := d.Rebooting(); got != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
}
