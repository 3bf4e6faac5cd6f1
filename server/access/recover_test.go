package access

import (
	"errors"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

const otherPassword = "battery staple horse"

// withFactor sets a second factor up for the first administrator.
func withFactor(t *testing.T, a *Access, now time.Time) (Caller, string, string) {
	t.Helper()
	c, _ := first(t, a)
	prepared, err := a.NewTOTP(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(prepared.Secret, now)
	if err != nil {
		t.Fatal(err)
	}
	c, cookie, err := a.ConfirmTOTP(t.Context(), c, code, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	return c, cookie, prepared.Secret
}

func TestChangingThePasswordEndsEverySession(t *testing.T) {
	a, clock := open(t, nil)
	c, cookie, _ := withFactor(t, a, clock.now())
	if _, _, err := a.ChangePassword(t.Context(), c, "not this one at all", otherPassword, "x"); !errors.Is(err, ErrOldPassword) {
		t.Errorf("with a wrong old password: %v", err)
	}
	if _, _, err := a.ChangePassword(t.Context(), c, longPassword, "short", "x"); !errors.Is(err, ErrPassword) {
		t.Errorf("to a short one: %v", err)
	}
	if _, err := a.Identify(t.Context(), withCookie(cookie)); err != nil {
		t.Errorf("a refused change ended the session: %v", err)
	}
	_, fresh, err := a.ChangePassword(t.Context(), c, longPassword, otherPassword, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Identify(t.Context(), withCookie(cookie)); !errors.Is(err, ErrSignedOut) {
		t.Errorf("the session before: %v", err)
	}
	if _, err := a.Identify(t.Context(), withCookie(fresh)); err != nil {
		t.Errorf("the session after: %v", err)
	}
	if _, _, err := a.SignIn(t.Context(), "mia@example.test", longPassword, "", "y"); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	if _, _, err := a.SignIn(t.Context(), "mia@example.test", otherPassword, "", "y"); !errors.Is(err, ErrCodeRequired) {
		t.Errorf("the new password alone: %v", err)
	}
}

func TestGuessingTheOldPasswordMeetsAWait(t *testing.T) {
	a, _ := open(t, nil)
	c, _ := first(t, a)
	var many *TooManyError
	for i := range throttleBoth + 1 {
		_, _, err := a.ChangePassword(t.Context(), c, "a wrong password", otherPassword, "x")
		if got := errors.As(err, &many); got != (i == throttleBoth) {
			t.Errorf("attempt %d: %v", i+1, err)
		}
	}
}

func TestRecoveryOnTheServersOwnMachine(t *testing.T) {
	a, clock := open(t, nil)
	_, cookie, secret := withFactor(t, a, clock.now())
	r := a.Recovery("Somebody on the server's own machine")
	if err := r.ResetTOTP(t.Context(), "nobody@example.test"); !errors.Is(err, ErrNoPerson) {
		t.Errorf("nobody: %v", err)
	}
	if err := r.ResetTOTP(t.Context(), "MIA@example.test"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Identify(t.Context(), withCookie(cookie)); !errors.Is(err, ErrSignedOut) {
		t.Errorf("a session from before: %v", err)
	}
	if err := r.ResetTOTP(t.Context(), "mia@example.test"); !errors.Is(err, ErrNoTOTP) {
		t.Errorf("a second time: %v", err)
	}
	if err := r.SetPassword(t.Context(), "mia@example.test", "short"); !errors.Is(err, ErrPassword) {
		t.Errorf("a short password: %v", err)
	}
	if err := r.SetPassword(t.Context(), "mia@example.test", otherPassword); err != nil {
		t.Fatal(err)
	}
	c, _, err := a.SignIn(t.Context(), "mia@example.test", otherPassword, "", "y")
	if err != nil || c.Person.TOTPAt != nil {
		t.Fatalf("signing in afterwards: %+v, %v", c.Person, err)
	}
	prepared, err := a.NewTOTP(t.Context(), c)
	if err != nil || prepared.Secret == secret {
		t.Errorf("the new second factor is the lost one: %v", err)
	}
}

// Two sessions that prepare a second factor: the first that confirms has it, the other
// cannot put its own in that place.
func TestASecondFactorIsNeverWrittenOver(t *testing.T) {
	a, clock := open(t, nil)
	c, _ := first(t, a)
	other, _, err := a.SignIn(t.Context(), "mia@example.test", longPassword, "", "y")
	if err != nil {
		t.Fatal(err)
	}
	confirm := func(c Caller) error {
		prepared, err := a.NewTOTP(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		code, err := totp.GenerateCode(prepared.Secret, clock.now())
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = a.ConfirmTOTP(t.Context(), c, code, "x")
		return err
	}
	if err := confirm(c); err != nil {
		t.Fatal(err)
	}
	if err := confirm(other); !errors.Is(err, ErrTOTPConfirmed) { // identified a moment before the first one confirmed
		t.Errorf("the other: %v", err)
	}
}
