package passphrase

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

const good = "correct horse battery"

func sealed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := Seal(&b, good, 10)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOnlyTheSamePassphraseOpens(t *testing.T) {
	data := sealed(t, "a secret")
	if bytes.Contains(data, []byte("secret")) {
		t.Error("it can be read as it is")
	}
	r, err := Open(bytes.NewReader(data), good)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != "a secret" {
		t.Errorf("%q, %v", text, err)
	}
	for _, other := range []string{"", good + " ", strings.ToUpper(good)} {
		if _, err := Open(bytes.NewReader(data), other); !errors.Is(err, ErrWrong) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

// What was changed or cut anywhere is never given out as if it were whole.
func TestWhatWasChangedOrCutDoesNotOpen(t *testing.T) {
	data := sealed(t, "a secret")
	whole := func(data []byte) bool {
		r, err := Open(bytes.NewReader(data), good)
		if err == nil {
			_, err = io.ReadAll(r)
		}
		return err == nil
	}
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if whole(changed) {
			t.Errorf("byte %d was changed, and nobody saw it", i)
		}
		if whole(data[:i]) {
			t.Errorf("only %d bytes are left, and nobody saw it", i)
		}
	}
}

func TestPassphrasesThatAreGuessedEasilyAreRefused(t *testing.T) {
	for p, fine := range map[string]bool{"": false, "short": false, "elevenchars": false, "twelve chars": true,
		"zwölf Zeich": false, "zwölf Zeiche": true, strings.Repeat("x", longest): true, strings.Repeat("x", longest+1): false} {
		if err := Check(p); (err == nil) != fine {
			t.Errorf("%.20q: %v", p, err)
		}
		if _, err := Seal(io.Discard, p, 10); (err == nil) != fine {
			t.Errorf("sealing with %.20q: %v", p, err)
		}
	}
}
