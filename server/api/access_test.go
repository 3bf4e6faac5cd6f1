package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"patchbay/server/access"
	"patchbay/server/view"
)

// placed fills a route's path with IDs that look right.
func placed(path string) string {
	path = strings.ReplaceAll(path, "{sha256}", strings.Repeat("0a", 32))
	for _, p := range []string{"customer", "site", "token", "device", "need", "update", "approval", "job", "key", "provider", "package", "finding", "feed", "group", "bulletin", "product"} {
		path = strings.ReplaceAll(path, "{"+p+"}", p+"_00000000000000000000000000")
	}
	return path
}

// TestNobodyGetsInWithoutSigningIn crawls the whole route table, and every other method and
// spelling of its paths. Only the routes that are open on purpose answer.
func TestNobodyGetsInWithoutSigningIn(t *testing.T) {
	w := newWorld(t, false).signedIn()
	w.cookie = ""
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}
	spellings := []func(string) string{
		func(p string) string { return p },
		func(p string) string { return p + "/" },
		func(p string) string { return "/" + p },
		func(p string) string { return strings.Replace(p, "/api/", "/api//", 1) },
		func(p string) string { return strings.Replace(p, "/api/", "/api/./", 1) },
		func(p string) string { return strings.Replace(p, "/api/", "/x/../api/", 1) },
		func(p string) string { return strings.Replace(p, "/api/", "/api%2f", 1) },
		func(p string) string { return strings.Replace(p, "/v1/", "/v1/%2e/", 1) },
		func(p string) string { return strings.Replace(p, "/api/", "/API/", 1) },
		func(p string) string { return p + ";x=1" },
		func(p string) string { return p + "?x=/api/v1/session" },
		func(p string) string { return p + "%00" },
		func(p string) string { return p + "/../session" },
	}
	open := map[string]bool{}
	for _, r := range routes() {
		if r.rule == anyone {
			open[r.method+" "+r.path] = true
		}
	}
	if len(open) != 4 {
		t.Errorf("%d routes are open to anyone, want 4: %v", len(open), open)
	}
	for _, r := range routes() {
		for _, method := range methods {
			for i, spell := range spellings {
				path := spell(placed(r.path))
				if open[method+" "+r.path] || method == "HEAD" && open["GET "+r.path] {
					continue
				}
				status, body := raw(t, w, method, path)
				page := status == 200 && (strings.HasPrefix(body, "<html>") || method == "HEAD") // the console's page, which says nothing
				if status < 300 && !page {
					t.Errorf("%s %s (spelling %d) answers %d: %.200s", method, path, i, status, body)
				}
				if i == 0 && method == r.method && status != http.StatusUnauthorized {
					t.Errorf("%s %s answers %d, want 401", method, path, status)
				}
			}
		}
	}
}

// raw sends a request line exactly as written.
func raw(t *testing.T, w *world, method, path string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", method, path)
	answer, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestRouteWithoutRuleDoesNotStart(t *testing.T) {
	for _, r := range routes() {
		if r.rule == noRule || r.id == "" || r.summary == "" {
			t.Errorf("%s %s is not complete", r.method, r.path)
		}
	}
}

func TestSetupThenGone(t *testing.T) {
	w := newWorld(t, false)
	if s := do[SessionState](w, 200, "GET", "/session", nil); !s.SetupOpen || s.Person != nil {
		t.Errorf("before: %+v", s)
	}
	body := Setup{Token: "made up", Email: "mia@example.test", Name: "Mia", Password: testPassword}
	do[Problem](w, 422, "POST", "/setup", body)
	body.Token = w.setup
	r, err := http.NewRequest("POST", w.server.URL+base+"/setup", strings.NewReader(string(must(json.Marshal(body)))))
	if err != nil {
		t.Fatal(err)
	}
	answer := w.send(r)
	answer.Body.Close()
	cookies := answer.Cookies()
	if answer.StatusCode != 200 || len(cookies) != 1 {
		t.Fatalf("set-up answered %d with %v", answer.StatusCode, cookies)
	}
	if c := cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Path != "/" {
		t.Errorf("the cookie on loopback is %v", c)
	}
	if got, text := w.call("POST", "/setup", body); got != 404 {
		t.Errorf("a second time: %d %s", got, text)
	}
	if s := do[SessionState](w, 200, "GET", "/session", nil); s.SetupOpen {
		t.Error("set-up still looks open")
	}
	w.cookie = cookies[0].Value
	if s := do[SessionState](w, 200, "GET", "/session", nil); s.Person == nil || s.Person.Email != "mia@example.test" {
		t.Errorf("afterwards: %+v", s)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestBeyondLoopbackNothingAnswersBeforeTheSecondFactor(t *testing.T) {
	w := newWorld(t, true).signedIn()
	for _, r := range routes() {
		if r.rule != staff && r.rule != inPerson {
			continue
		}
		status, text := w.call(r.method, strings.TrimPrefix(placed(r.path), base), nil)
		var p Problem
		if json.Unmarshal(text, &p); status != 403 || p.Type != totpRequired {
			t.Errorf("%s %s answers %d %s", r.method, r.path, status, text)
		}
	}
	w.cookie = must2(w.access.SignIn(t.Context(), "mia@example.test", testPassword, "", "x"))
	prepared := do[NewTOTP](w, 200, "POST", "/me/totp", nil)
	if !strings.HasPrefix(prepared.QR, "<svg") || !strings.HasPrefix(prepared.URI, "otpauth://totp/") {
		t.Errorf("prepared %+v", prepared)
	}
	do[Problem](w, 422, "PUT", "/me/totp", Code{"123"})
	code, err := totp.GenerateCode(prepared.Secret, w.now)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest("PUT", w.server.URL+base+"/me/totp", strings.NewReader(string(must(json.Marshal(Code{code})))))
	if err != nil {
		t.Fatal(err)
	}
	answer := w.send(r)
	answer.Body.Close()
	if answer.StatusCode != 200 || len(answer.Cookies()) != 1 {
		t.Fatalf("confirming answered %d", answer.StatusCode)
	}
	w.cookie = answer.Cookies()[0].Value
	if status, text := w.call("GET", "/customers", nil); status != 200 {
		t.Errorf("afterwards: %d %s", status, text)
	}
	p := do[Problem](w, 401, "POST", "/session", SignIn{Email: "mia@example.test", Password: testPassword})
	if p.Type != codeRequired {
		t.Errorf("signing in without a code: %+v", p)
	}
	do[Problem](w, 401, "POST", "/session", SignIn{Email: "mia@example.test", Password: testPassword, Code: code}) // used up
}

func must2(_ access.Caller, cookie string, err error) string {
	if err != nil {
		panic(err)
	}
	return cookie
}

func TestGuessingMeetsAWait(t *testing.T) {
	w := newWorld(t, false).signedIn()
	for i := range 12 {
		r, err := http.NewRequest("POST", w.server.URL+base+"/session", strings.NewReader(`{"email":"mia@example.test","password":"wrong"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", fmt.Sprint("198.51.100.", i)) // nobody trusts it
		answer := w.send(r)
		answer.Body.Close()
		want := http.StatusUnauthorized
		if i >= 5 {
			want = http.StatusTooManyRequests
		}
		if answer.StatusCode != want || (want == 429) != (answer.Header.Get("Retry-After") != "") {
			t.Errorf("attempt %d: %d, Retry-After %q", i+1, answer.StatusCode, answer.Header.Get("Retry-After"))
		}
	}
}

func TestOtherSitesPagesAreRefused(t *testing.T) {
	w := newWorld(t, false).signedIn()
	for _, c := range []struct {
		header, value string
		want          int
	}{
		{"Sec-Fetch-Site", "cross-site", 403}, {"Sec-Fetch-Site", "same-site", 403}, {"Origin", "https://evil.test", 403},
		{"Origin", "null", 403}, {"Sec-Fetch-Site", "same-origin", 201}, {"X", "x", 201},
	} {
		r, err := http.NewRequest("POST", w.server.URL+base+"/customers", strings.NewReader(`{"name":"`+c.header+c.value+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(c.header, c.value)
		answer := w.send(r)
		answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%s: %s answers %d, want %d", c.header, c.value, answer.StatusCode, c.want)
		}
	}
}

func TestAPIKeyActsAsItsPerson(t *testing.T) {
	w := newWorld(t, false).signedIn()
	k := do[APIKey](w, 201, "POST", "/me/keys", NewKey{Name: "script", Days: 1})
	list := do[APIKeys](w, 200, "GET", "/me/keys", nil)
	if len(list.Items) != 1 || list.Items[0].Key != "" || list.Items[0].ID != k.ID {
		t.Errorf("the list is %+v", list)
	}
	ask := func(method, path string) int {
		r, err := http.NewRequest(method, w.server.URL+base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+k.Key)
		answer := w.send(r)
		defer answer.Body.Close()
		if b, _ := io.ReadAll(answer.Body); bytes.Contains(b, []byte(k.Key)) {
			t.Errorf("%s repeats the key", path)
		}
		return answer.StatusCode
	}
	if got := ask("GET", "/customers"); got != 200 {
		t.Errorf("a key reads: %d", got)
	}
	// A key never leads to more than itself: not to a longer one, not to the person's own secrets.
	for _, path := range []string{"/me/totp", "/me/keys", "/me/password"} {
		if got := ask("POST", path); got != 403 {
			t.Errorf("a key at %s: %d", path, got)
		}
	}
	w.now = w.now.Add(24 * time.Hour)
	if got := ask("GET", "/customers"); got != 401 {
		t.Errorf("an expired key: %d", got)
	}
	w.cookie = must2(w.access.SignIn(t.Context(), "mia@example.test", testPassword, "", "x"))
	do[struct{}](w, 204, "DELETE", "/me/keys/"+k.ID, nil)
	do[Problem](w, 404, "DELETE", "/me/keys/"+url.PathEscape("key_nope"), nil)
}

func TestChangingMyPassword(t *testing.T) {
	w := newWorld(t, false).signedIn()
	const other = "battery staple horse"
	p := do[Problem](w, 422, "POST", "/me/password", PasswordChange{Old: "a wrong password", New: other})
	if len(p.Errors) != 1 || p.Errors[0].Location != "body.old" {
		t.Errorf("a wrong old password: %+v", p)
	}
	do[Problem](w, 422, "POST", "/me/password", PasswordChange{Old: testPassword, New: "short"})
	r, err := http.NewRequest("POST", w.server.URL+base+"/me/password", strings.NewReader(`{"old":"`+testPassword+`","new":"`+other+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	answer := w.send(r)
	answer.Body.Close()
	if answer.StatusCode != 200 || len(answer.Cookies()) != 1 || answer.Cookies()[0].Value == w.cookie {
		t.Fatalf("changing answered %d with %v", answer.StatusCode, answer.Cookies())
	}
	do[Problem](w, 401, "GET", "/customers", nil)
	w.cookie = answer.Cookies()[0].Value
	if status, _ := w.call("GET", "/customers", nil); status != 200 {
		t.Errorf("the new session: %d", status)
	}
	do[Problem](w, 401, "POST", "/session", SignIn{Email: "mia@example.test", Password: testPassword})
	if s := do[view.Page[view.Activity]](w, 200, "GET", "/activity?q=password", nil); len(s.Items) != 1 || s.Items[0].Sentence != "set their own password anew" {
		t.Errorf("the chain says %+v", s.Items)
	}
}

func TestSignOut(t *testing.T) {
	w := newWorld(t, false).signedIn()
	do[struct{}](w, 204, "DELETE", "/session", nil)
	do[Problem](w, 401, "GET", "/customers", nil)
	do[struct{}](w, 204, "DELETE", "/session", nil) // signed out is signed out
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	w := newWorld(t, false)
	for _, path := range []string{"/", "/devices/x", "/api/v1/customers", "/api/none", "/healthz", "/assets/none.js", "/api/openapi.json", "/robots.txt"} {
		r, err := http.NewRequest("GET", w.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer := w.send(r)
		answer.Body.Close()
		csp := answer.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'self';") || strings.Contains(csp, "unsafe") || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, answer.Header)
		}
		if strings.HasPrefix(path, "/api/v1") && answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", path)
		}
	}
}
