package access

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/pquerna/otp/totp"

	"patchbay/server/store"
)

const longPassword = "correct horse battery"

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func open(t *testing.T, change func(*Options)) (*Access, *clock) {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "access.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c := &clock{at: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	o := Options{Now: c.now, Secret: [32]byte{1}, Passwords: Cost{Memory: 64, Iterations: 1, AtOnce: 2}}
	if change != nil {
		change(&o)
	}
	a, err := New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

// first sets the server up and gives the session of its first administrator.
func first(t *testing.T, a *Access) (Caller, string) {
	t.Helper()
	token, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, cookie, err := a.Setup(t.Context(), First{Token: token, Email: "Mia@Example.test", Name: "Mia", Password: longPassword, Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return c, cookie
}

func withCookie(value string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: CookieName, Value: value})
	return r
}

func TestSetupWorksOnce(t *testing.T) {
	a, _ := open(t, nil)
	old, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := First{Email: "mia@example.test", Name: "Mia", Password: longPassword, Address: "192.0.2.1"}
	for name, bad := range map[string]string{"none": "", "made up": "x", "replaced": old} {
		f.Token = bad
		if _, _, err := a.Setup(t.Context(), f); !errors.Is(err, ErrSetupToken) {
			t.Errorf("%s token: %v, want it refused", name, err)
		}
	}
	f.Token, f.Password = token, "short"
	if _, _, err := a.Setup(t.Context(), f); !errors.Is(err, ErrPassword) {
		t.Errorf("short password: %v", err)
	}
	f.Password = longPassword
	if _, _, err := a.Setup(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Setup(t.Context(), f); !errors.Is(err, ErrSetupDone) {
		t.Errorf("a second time: %v, want it gone", err)
	}
	if token, err := a.SetupToken(t.Context()); err != nil || token != "" {
		t.Errorf("a new token after set-up: %q, %v", token, err)
	}

}

func TestSetupTokenExpires(t *testing.T) {
	a, c := open(t, nil)
	token, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.pass(setupLasts)
	_, _, err = a.Setup(t.Context(), First{Token: token, Email: "m@example.test", Name: "M", Password: longPassword})
	if !errors.Is(err, ErrSetupToken) {
		t.Errorf("after a day: %v, want it refused", err)
	}
}

func TestTwoSetupsAtOnceMakeOneAdministrator(t *testing.T) {
	a, _ := open(t, nil)
	token, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	done := make(chan error, 4)
	for _, name := range []string{"a", "b", "c", "d"} {
		wait.Go(func() {
			_, _, err := a.Setup(t.Context(), First{Token: token, Email: name + "@example.test", Name: name, Password: longPassword, Address: name})
			done <- err
		})
	}
	wait.Wait()
	close(done)
	made := 0
	for err := range done {
		if err == nil {
			made++
		} else if !errors.Is(err, ErrSetupDone) {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d administrators were made", made)
	}
}

func TestSignInTakesTheRightPasswordOnly(t *testing.T) {
	a, _ := open(t, nil)
	first(t, a)
	for _, c := range []struct{ email, password string }{
		{"mia@example.test", "wrong horse battery"}, {"mia@example.test", ""}, {"nobody@example.test", longPassword},
		{"", ""}, {"mia@example.test", string(make([]byte, 100_000))},
	} {
		if _, _, err := a.SignIn(t.Context(), c.email, c.password, "", c.email+c.password[:min(5, len(c.password))]); !errors.Is(err, ErrWrong) {
			t.Errorf("%.20q with %d letters: %v, want it refused", c.email, len(c.password), err)
		}
	}
	caller, cookie, err := a.SignIn(t.Context(), " MIA@example.TEST ", longPassword, "", "192.0.2.9")
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Identify(t.Context(), withCookie(cookie))
	if err != nil || got.Person.ID != caller.Person.ID || got.Key {
		t.Errorf("the session is %+v, %v", got, err)
	}
}

func TestSessionsEnd(t *testing.T) {
	a, c := open(t, nil)
	caller, cookie := first(t, a)
	c.pass(SessionIdle - time.Minute)
	if _, err := a.Identify(t.Context(), withCookie(cookie)); err != nil {
		t.Errorf("used within %v: %v", SessionIdle, err)
	}
	c.pass(SessionIdle - time.Minute)
	if _, err := a.Identify(t.Context(), withCookie(cookie)); err != nil {
		t.Errorf("use did not extend it: %v", err)
	}
	c.pass(SessionIdle)
	if _, err := a.Identify(t.Context(), withCookie(cookie)); !errors.Is(err, ErrSignedOut) {
		t.Errorf("unused for %v: %v", SessionIdle, err)
	}
	caller, cookie, err := a.SignIn(t.Context(), caller.Person.Email, longPassword, "", "x")
	if err != nil {
		t.Fatal(err)
	}
	for range int(SessionLength/(6*time.Hour)) - 1 {
		c.pass(6 * time.Hour)
		if _, err := a.Identify(t.Context(), withCookie(cookie)); err != nil {
			t.Fatalf("in use: %v", err)
		}
	}
	c.pass(6 * time.Hour)
	if _, err := a.Identify(t.Context(), withCookie(cookie)); !errors.Is(err, ErrSignedOut) {
		t.Errorf("after %v in use: %v, want its end", SessionLength, err)
	}
	_, cookie, err = a.SignIn(t.Context(), caller.Person.Email, longPassword, "", "x")
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Identify(t.Context(), withCookie(cookie))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SignOut(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Identify(t.Context(), withCookie(cookie)); !errors.Is(err, ErrSignedOut) {
		t.Errorf("signed out: %v", err)
	}
}

func TestGuessingIsThrottled(t *testing.T) {
	a, c := open(t, nil)
	first(t, a)
	signIn := func(password, address string) error {
		_, _, err := a.SignIn(t.Context(), "mia@example.test", password, "", address)
		return err
	}
	for range throttleBoth {
		if err := signIn("wrong", "192.0.2.1"); !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
	}
	var many *TooManyError
	if err := signIn(longPassword, "192.0.2.1"); !errors.As(err, &many) || many.Wait <= 0 || many.Wait > throttleWindow {
		t.Errorf("the right password after %d wrong ones: %v", throttleBoth, err)
	}
	if err := signIn(longPassword, "192.0.2.2"); err != nil {
		t.Errorf("its owner from elsewhere: %v", err)
	}
	c.pass(throttleWindow)
	if err := signIn(longPassword, "192.0.2.1"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	for i := range throttleAccount {
		signIn("wrong", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}).String())
	}
	if err := signIn("wrong", "203.0.113.77"); !errors.As(err, &many) {
		t.Errorf("guesses from many addresses: %v, want the account throttled", err)
	}
}

func TestThrottleIsBounded(t *testing.T) {
	h, now := newThrottle(), time.Now()
	for i := range 3 * throttleMostKeys {
		h.attempt(time.Duration(i).String(), time.Duration(i%7).String(), now)
	}
	if len(h.fail) > throttleMostKeys+3 {
		t.Errorf("%d keys are kept", len(h.fail))
	}
}

func TestParallelGuessesAreCounted(t *testing.T) {
	h, now := newThrottle(), time.Now()
	var wait sync.WaitGroup
	passed := make(chan bool, 100)
	for range 100 {
		wait.Go(func() { passed <- h.attempt("a", "b", now) == 0 })
	}
	wait.Wait()
	close(passed)
	n := 0
	for ok := range passed {
		if ok {
			n++
		}
	}
	if n != throttleBoth {
		t.Errorf("%d of 100 attempts at once passed, want %d", n, throttleBoth)
	}
}

func TestSecondFactor(t *testing.T) {
	a, c := open(t, func(o *Options) { o.BeyondLoopback = true })
	caller, cookie := first(t, a)
	if !caller.TOTPRequired {
		t.Error("beyond loopback nothing is asked for")
	}
	prepared, err := a.NewTOTP(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := a.NewTOTP(t.Context(), caller); err != nil || again.Secret != prepared.Secret {
		t.Errorf("prepared again: another secret, %v", err)
	}
	code := func(d time.Duration) string {
		s, err := totp.GenerateCode(prepared.Secret, c.now().Add(d))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if _, _, err := a.ConfirmTOTP(t.Context(), caller, "000000", "x"); !errors.Is(err, ErrCode) {
		t.Errorf("a wrong code: %v", err)
	}
	used := code(0)
	confirmed, after, err := a.ConfirmTOTP(t.Context(), caller, used[:3]+" "+used[3:], "x")
	if err != nil || confirmed.TOTPRequired {
		t.Fatalf("confirming: %+v, %v", confirmed, err)
	}
	if _, err := a.Identify(t.Context(), withCookie(cookie)); !errors.Is(err, ErrSignedOut) {
		t.Errorf("the session from before: %v, want it ended", err)
	}
	if got, err := a.Identify(t.Context(), withCookie(after)); err != nil || got.TOTPRequired || !got.Session.SecondFactor {
		t.Errorf("the new session: %+v, %v", got, err)
	}
	if _, err := a.NewTOTP(t.Context(), confirmed); !errors.Is(err, ErrTOTPConfirmed) {
		t.Errorf("preparing another: %v, want it refused", err)
	}
	signIn := func(code string) error {
		_, _, err := a.SignIn(t.Context(), "mia@example.test", longPassword, code, "y")
		return err
	}
	if err := signIn(""); !errors.Is(err, ErrCodeRequired) {
		t.Errorf("without a code: %v", err)
	}
	if err := signIn(used); !errors.Is(err, ErrWrong) {
		t.Errorf("the code that confirmed: %v, want it used up", err)
	}
	c.pass(time.Minute)
	fresh := code(0)
	if err := signIn(fresh); err != nil {
		t.Errorf("a fresh code: %v", err)
	}
	if err := signIn(fresh); !errors.Is(err, ErrWrong) {
		t.Errorf("the same code again: %v", err)
	}
	if err := signIn(code(-30 * time.Second)); !errors.Is(err, ErrWrong) {
		t.Errorf("an older code after a newer one: %v", err)
	}
	if err := signIn(code(5 * time.Minute)); !errors.Is(err, ErrWrong) {
		t.Errorf("a code of the future: %v", err)
	}
}

func TestSealedSecretOpensForItsPersonOnly(t *testing.T) {
	a, _ := open(t, nil)
	b, _ := open(t, func(o *Options) { o.Secret = [32]byte{2} })
	sealed := a.sealed("per_a", "secret")
	if got, err := a.opened("per_a", sealed); err != nil || got != "secret" {
		t.Errorf("opened as %q, %v", got, err)
	}
	if _, err := a.opened("per_b", sealed); err == nil {
		t.Error("it opens for another person")
	}
	if _, err := b.opened("per_a", sealed); err == nil {
		t.Error("it opens with another server's secret")
	}
	for n := range sealed {
		if _, err := a.opened("per_a", sealed[:n]); err == nil {
			t.Errorf("it opens cut to %d bytes", n)
		}
	}
}

func TestAPIKeys(t *testing.T) {
	a, c := open(t, nil)
	caller, _ := first(t, a)
	k, value, err := a.NewKey(t.Context(), caller, "script", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	identify := func(text string) error {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", text)
		got, err := a.Identify(t.Context(), r)
		if err == nil && (!got.Key || got.Person.ID != caller.Person.ID) {
			t.Errorf("identified as %+v", got)
		}
		return err
	}
	if err := identify("Bearer " + value); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"Bearer ", "Bearer pbk_x", "Bearer " + value + "x", "Basic " + value, "Bearer " + hashed(value)} {
		if err := identify(bad); !errors.Is(err, ErrSignedOut) {
			t.Errorf("%.12q…: %v, want nobody", bad, err)
		}
	}
	if err := a.RevokeKey(t.Context(), Caller{Person: store.Person{ID: "per_other", Name: "x"}}, k.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another person revokes it: %v", err)
	}
	c.pass(time.Hour)
	if err := identify("Bearer " + value); !errors.Is(err, ErrSignedOut) {
		t.Errorf("expired: %v", err)
	}
}

func TestAddressBelievesTrustedProxiesOnly(t *testing.T) {
	a, _ := open(t, func(o *Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	for _, c := range []struct {
		remote, forwarded, want string
		trusted                 bool
	}{
		{"203.0.113.5:1", "", "203.0.113.5", false},
		{"203.0.113.5:1", "1.2.3.4", "203.0.113.5", false}, // a client says so itself
		{"10.1.1.1:1", "", "10.1.1.1", true},
		{"10.1.1.1:1", "198.51.100.7", "198.51.100.7", true},
		{"10.1.1.1:1", "1.2.3.4, 198.51.100.7", "198.51.100.7", true}, // the client put 1.2.3.4 in front
		{"10.1.1.1:1", "198.51.100.7, 10.9.9.9", "198.51.100.7", true},
		{"10.1.1.1:1", "nonsense", "10.1.1.1", true},
		{"10.1.1.1:1", "198.51.100.7, nonsense", "10.1.1.1", true},
		{"[::ffff:10.1.1.1]:1", "198.51.100.7", "198.51.100.7", true},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::/64", false},
		{"[::1]:1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", true},
		{"@", "1.2.3.4", "unknown", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := a.Address(r); got != c.want {
			t.Errorf("from %s saying %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
		r.Header.Set("X-Forwarded-Proto", "https")
		if a.Encrypted(r) != c.trusted {
			t.Errorf("from %s: encrypted %t", c.remote, !c.trusted)
		}
	}
}

// What stands for nobody's hash costs as much to compare with as a real one, and is never matched.
func TestNobodysHashIsLikeAnyOther(t *testing.T) {
	p := newPasswords(Cost{Memory: 64, Iterations: 3, AtOnce: 1})
	params, salt, key, err := argon2id.DecodeHash(p.nobody)
	if err != nil || *params != p.params || len(salt) != 16 || len(key) != 32 {
		t.Errorf("%q: %v", p.nobody, err)
	}
	if other := newPasswords(Cost{Memory: 64, Iterations: 3, AtOnce: 1}); other.nobody == p.nobody {
		t.Error("it is the same each time")
	}
	if ok, err := p.matches(t.Context(), "correct horse battery", ""); ok || err != nil {
		t.Errorf("nobody matches: %v, %v", ok, err)
	}
}

func TestHashingWaitsItsTurn(t *testing.T) {
	p := newPasswords(Cost{Memory: 64, Iterations: 1, AtOnce: 1})
	p.turn <- struct{}{} // somebody else hashes
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.hash(ctx, longPassword); !errors.Is(err, context.Canceled) {
		t.Errorf("it did not wait: %v", err)
	}
	<-p.turn
	if _, err := p.hash(t.Context(), longPassword); err != nil {
		t.Error(err)
	}
}

// Whoever knows a password must not try all codes, from however many addresses. Only those
// who know it can make its owner wait.
func TestCodesCannotBeTriedOut(t *testing.T) {
	a, c := open(t, nil)
	_, _, secret := withFactor(t, a, c.now())
	var many *TooManyError
	tried := 0
	for i := range 200 {
		_, _, err := a.SignIn(t.Context(), "mia@example.test", longPassword, "000000", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}).String())
		if errors.Is(err, ErrWrong) {
			tried++
		} else if !errors.As(err, &many) {
			t.Fatal(err)
		}
	}
	if tried > throttleCodes {
		t.Errorf("%d codes were tried in a moment, want at most %d", tried, throttleCodes)
	}
	c.pass(throttleWindow + time.Minute)
	code, err := totp.GenerateCode(secret, c.now())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SignIn(t.Context(), "mia@example.test", longPassword, code, "203.0.113.1"); err != nil {
		t.Errorf("its owner, later: %v", err)
	}
}

// Filling the throttle with made-up accounts does not make it forget who is being guessed.
func TestThrottleRemembersUnderAFlood(t *testing.T) {
	h, now := newThrottle(), time.Now()
	for i := range throttleAccount {
		h.attempt("mia", time.Duration(i).String(), now)
	}
	for i := range 3 * throttleMostKeys {
		h.attempt("flood"+time.Duration(i).String(), "net"+time.Duration(i).String(), now)
	}
	if h.attempt("mia", "elsewhere", now) == 0 {
		t.Error("guessing may go on after a flood")
	}
}

// Hashing takes memory: so many may wait for it and no more.
func TestHashingDoesNotQueueForever(t *testing.T) {
	p := newPasswords(Cost{Memory: 64, Iterations: 1, AtOnce: 1})
	p.turn <- struct{}{} // somebody hashes and takes long
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error, 4*maxWaiting)
	for range 4 * maxWaiting {
		go func() {
			_, err := p.matches(ctx, "x", "")
			results <- err
		}()
	}
	for range 3 * maxWaiting {
		if err := <-results; !errors.Is(err, ErrBusy) {
			t.Fatalf("one too many: %v, want it refused at once", err)
		}
	}
	cancel()
	for range maxWaiting {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("one that waits: %v", err)
		}
	}
	<-p.turn
	if _, err := p.matches(t.Context(), "x", ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
