package sign

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"

	"patchbay/wire"
)

const secret = "twelve dice in a row"

// cheap makes a guess of a passphrase cost next to nothing.
const cheap = 4

// key is the key that somebody of that name has.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) Public { return Public{raw(key(name).Public()), name} }

// locked is the key file of somebody.
func locked(t testing.TB, name string) string {
	t.Helper()
	data, err := Lock(key(name), name, secret, cheap)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAKeyFileGivesBackItsKey(t *testing.T) {
	f, err := ParseFile([]byte(locked(t, "mia")))
	if err != nil {
		t.Fatal(err)
	}
	if f.Public.Name() != public("mia").Name() || f.Public.Comment != "mia" {
		t.Errorf("without the passphrase it says %s", f.Public)
	}
	got, err := f.Unlock(secret)
	if err != nil || !key("mia").Equal(got) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAKeyFileShowsNothingOfItsKey(t *testing.T) {
	text := locked(t, "mia")
	if secret := inside(public("mia"), key("mia")); strings.Contains(text, strings.Split(secret, "\n")[1]) {
		t.Error("the key is in it as it is")
	}
}

func TestOnlyThePassphraseOpensIt(t *testing.T) {
	f, err := ParseFile([]byte(locked(t, "mia")))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "twelve dice in a ro", secret + " ", strings.ToUpper(secret)} {
		if _, err := f.Unlock(wrong); err == nil || !strings.Contains(err.Error(), "passphrase") || wrong != "" && strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestEveryTruncatedKeyFileIsRefused(t *testing.T) {
	text := locked(t, "mia")
	for n := range len(text) - 1 { // without the last line break nothing is missing
		f, err := ParseFile([]byte(text[:n]))
		if err == nil {
			_, err = f.Unlock(secret)
		}
		if err == nil {
			t.Fatalf("the first %d of %d bytes are a key", n, len(text))
		}
	}
}

// Whoever has the stick for a while must not get their own key into the next root.
func TestThePublicLineOfAKeyFileCannotBeExchanged(t *testing.T) {
	_, rest, _ := strings.Cut(locked(t, "mia"), "\n")
	for _, line := range []string{public("thief").String(), Public{public("mia").Key, "thief"}.String()} {
		f, err := ParseFile([]byte(line + "\n" + rest))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Unlock(secret); err == nil || !strings.Contains(err.Error(), "somebody changed") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestShortPassphrasesAreRefused(t *testing.T) {
	for _, p := range []string{"", "elevenchars", "ööööööööööö", strings.Repeat("x", 1001)} {
		if _, err := Lock(key("mia"), "mia", p, cheap); err == nil {
			t.Errorf("%.20q is taken", p)
		}
	}
}

func TestPublicLines(t *testing.T) {
	good := public("mia").String()
	for _, line := range []string{good, strings.TrimSuffix(good, " mia"), good + " Lang, Büro 2"} {
		p, err := ParsePublic(line)
		if err != nil || p.String() != line || !p.Key.Equal(key("mia").Public()) {
			t.Errorf("%s: %v, %v", line, p, err)
		}
	}
	parts := strings.Fields(good)
	other := strings.Fields(public("eve").String())
	for _, line := range []string{"", parts[0], parts[1] + " " + parts[2], "ssh-ed25519 " + parts[2], parts[0] + " " + parts[1] + " " + other[2],
		parts[0] + " " + parts[1] + " " + parts[2] + "\n", parts[0] + " " + parts[1] + " " + parts[2][:40], parts[0] + "  " + parts[1] + " " + parts[2],
		parts[0] + " " + strings.ToUpper(parts[1]) + " " + parts[2], good + " ", good + "\x1b[2J", good + " \u202etxt", good + "\nx", good + strings.Repeat("x", 60)} {
		if p, err := ParsePublic(line); err == nil {
			t.Errorf("%q is taken as %v", line, p)
		} else if strings.ContainsAny(err.Error(), "\x1b\n\u202e") {
			t.Errorf("%q is repeated as it stands", line)
		}
	}
}

func FuzzKeyFile(f *testing.F) {
	f.Add([]byte(locked(f, "mia")))
	f.Add([]byte(public("mia").String()))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ParseFile(data)
		if err != nil {
			return
		}
		if again, err := ParsePublic(file.Public.String()); err != nil || again.String() != file.Public.String() {
			t.Errorf("%q: %v", file.Public, err)
		}
		if name, err := wire.KeyName(file.Public.Key); err != nil || name != file.Public.Name() {
			t.Errorf("%q, %v", name, err)
		}
	})
}
