package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

const (
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps a phone's clock may be off, each way
)

// TOTP is what a person needs to set up an authenticator app.
type TOTP struct {
	Secret string
	URI    string
	QR     string // SVG
}

// totpFor makes the secret that a session may confirm for its person. It is derived, so
// nothing is stored before a code has proved that the person holds it, and any server with
// the same secret can take the code.
func (a *Access) totpFor(c Caller) (*otp.Key, error) {
	mac := hmac.New(sha256.New, a.options.Secret[:])
	mac.Write([]byte("totp\x00" + c.Person.ID + "\x00" + c.Session.ID))
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: a.issuer(), AccountName: c.Person.Email, Period: totpPeriod, Digits: otp.DigitsSix,
		Secret: mac.Sum(nil)[:20],
	})
	if err != nil {
		return nil, fmt.Errorf("making a TOTP secret: %w", err)
	}
	return key, nil
}

func (a *Access) issuer() string {
	if a.options.Installation == "" {
		return "Patchbay"
	}
	return "Patchbay " + a.options.Installation
}

// step finds the time step that a code is of. Whether the step was used already is the
// store's to say.
func step(secret, code string, now time.Time) (int64, error) {
	code = strings.ReplaceAll(code, " ", "")
	found := int64(-1)
	for d := int64(-totpSkew); d <= totpSkew; d++ {
		n := now.Unix()/totpPeriod + d
		want, err := totp.GenerateCodeCustom(secret, time.Unix(n*totpPeriod, 0), totp.ValidateOpts{
			Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
		})
		if err != nil {
			return 0, fmt.Errorf("computing a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = n
		}
	}
	if found < 0 {
		return 0, ErrCode
	}
	return found, nil
}

// sealed encrypts a secret for one person; it opens for nobody else.
func (a *Access) sealed(person, secret string) []byte {
	nonce := make([]byte, a.seal.NonceSize())
	rand.Read(nonce) // never fails, says crypto/rand
	return a.seal.Seal(nonce, nonce, []byte(secret), []byte(person))
}

func (a *Access) opened(person string, sealed []byte) (string, error) {
	n := a.seal.NonceSize()
	if len(sealed) < n {
		return "", errors.New("opening a TOTP secret: there is none")
	}
	plain, err := a.seal.Open(nil, sealed[:n], sealed[n:], []byte(person))
	if err != nil {
		return "", errors.New("opening a TOTP secret: it was sealed with another server secret; restore the server's own secret from the backup")
	}
	return string(plain), nil
}

// qrSVG draws a text as a QR code: one path, dark on light in both themes.
func qrSVG(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("drawing a QR code: %w", err)
	}
	var b strings.Builder
	size := code.Bounds().Dx()
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 %d %d" shape-rendering="crispEdges" role="img" aria-label="QR code for the authenticator app"><rect x="-4" y="-4" width="%d" height="%d" fill="#fff"/><path fill="#000" d="`, size+8, size+8, size+8, size+8)
	for y := range size {
		for x := range size {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String(), nil
}
