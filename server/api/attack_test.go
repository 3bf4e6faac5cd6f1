package api

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/access"
	"patchbay/server/store"
	"patchbay/server/view"
)

// another makes a second person, signed in with a key.
func (w *world) another() string {
	w.t.Helper()
	p := store.Person{ID: patch.NewID(patch.PersonID), Email: "ben@example.test", Name: "Ben", CreatedAt: w.now}
	if err := w.store.MSP(store.Who{ID: "system"}).CreatePerson(w.t.Context(), w.now, p); err != nil {
		w.t.Fatal(err)
	}
	_, key, err := w.access.NewKey(w.t.Context(), access.Caller{Person: p}, "script", time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

func (w *world) get(path, key string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequest("GET", w.server.URL+base+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return w.send(r)
}

// One person's pages, or one leaked key, cannot keep everybody else from hearing of changes.
func TestOnePersonCannotTakeAllStreams(t *testing.T) {
	w := newWorld(t, false).signedIn()
	other := w.another()
	var open []io.Closer
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	listen := func(key string) *http.Response {
		answer := w.get("/events", key)
		open = append(open, answer.Body)
		if answer.StatusCode == 200 {
			if _, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		return answer
	}
	for i := range maxOwnStreams {
		if got := listen("").StatusCode; got != 200 {
			t.Fatalf("stream %d: %d", i+1, got)
		}
	}
	if got := listen(""); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %d", got.StatusCode)
	}
	if got := listen(other).StatusCode; got != 200 {
		t.Errorf("somebody else: %d", got)
	}
	for _, c := range open {
		c.Close()
	}
	for try := 0; ; try++ { // the server sees closed connections a moment later
		if listen("").StatusCode == 200 {
			break
		}
		if try > 1000 {
			t.Fatal("closed streams are still counted")
		}
	}
}

// A key or a session's secret is taken from its own header only: addresses end up in logs,
// histories and referrers.
func TestSecretsInTheAddressAreRefused(t *testing.T) {
	w := newWorld(t, false).signedIn()
	key := do[APIKey](w, 201, "POST", "/me/keys", NewKey{Name: "script"}).Key
	cookie := w.cookie
	w.cookie = ""
	for _, name := range []string{"key", "api_key", "apikey", "access_token", "token", "authorization", "Authorization", access.CookieName} {
		for _, secret := range []string{key, "Bearer " + key, cookie} {
			if status, body := w.call("GET", "/customers?"+url.Values{name: {secret}}.Encode(), nil); status != 401 || strings.Contains(string(body), secret) {
				t.Errorf("?%s= answers %d %s", name, status, body)
			}
		}
	}
	for _, header := range []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("key:"+key)), "Token " + key, key, "Bearer " + cookie, "Bearer"} {
		r, err := http.NewRequest("GET", w.server.URL+base+"/customers", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", header)
		answer := w.send(r)
		answer.Body.Close()
		if answer.StatusCode != 401 {
			t.Errorf("Authorization: %.10s… answers %d", header, answer.StatusCode)
		}
	}
}

// A session that somebody planted in a browser never becomes the one of the person.
func TestPlantedSessionIsNotAdopted(t *testing.T) {
	w := newWorld(t, false).signedIn()
	for _, planted := range []string{"planted", strings.Repeat("A", 43), w.cookie} {
		r, err := http.NewRequest("POST", w.server.URL+base+"/session", strings.NewReader(`{"email":"mia@example.test","password":"`+testPassword+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: access.CookieName, Value: planted})
		answer := w.send(r)
		answer.Body.Close()
		if c := answer.Cookies(); answer.StatusCode != 200 || len(c) != 1 || c[0].Value == planted {
			t.Fatalf("signing in answers %d with %v", answer.StatusCode, c)
		}
	}
	w.cookie = "planted"
	do[Problem](w, 401, "GET", "/customers", nil)
}

// What a person works with behind HTTPS is never sent without it.
func TestCookieIsSecureWhereTheWorldCanReachTheServer(t *testing.T) {
	w := newWorld(t, true).signedIn()
	r, err := http.NewRequest("POST", w.server.URL+base+"/session", strings.NewReader(`{"email":"mia@example.test","password":"`+testPassword+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	answer := w.send(r) // from a proxy on this machine that nobody declared
	answer.Body.Close()
	if c := answer.Cookies(); len(c) != 1 || !c[0].Secure || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", c)
	}
}

// A server that only this machine may reach answers to this machine's names only. Otherwise
// a page whose name leads here (DNS rebinding), or a proxy nobody told the server of, is a
// way around the second factor.
func TestOnLoopbackOtherNamesAreRefused(t *testing.T) {
	w := newWorld(t, false).signedIn()
	ask := func(w *world, host string) int {
		r, err := http.NewRequest("GET", w.server.URL+base+"/customers", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer := w.send(r)
		answer.Body.Close()
		return answer.StatusCode
	}
	for host, want := range map[string]int{"localhost": 200, "localhost:8420": 200, "127.0.0.1": 200, "[::1]:8420": 200, "LOCALHOST": 200,
		"evil.test": 421, "evil.test:8420": 421, "localhost.evil.test": 421, "127.0.0.1.evil.test": 421, "192.0.2.1": 421, "localhost:x:y": 421} {
		if got := ask(w, host); got != want {
			t.Errorf("Host: %s answers %d, want %d", host, got, want)
		}
	}
	if got := ask(newWorld(t, true).signedIn(), "patch.example"); got != http.StatusForbidden {
		t.Errorf("beyond loopback a name answers %d, want the second factor asked for", got)
	}
}

func TestForgedCursorsOnlyBeginElsewhere(t *testing.T) {
	w := newWorld(t, false).populated()
	cursor := func(s, k, i string) string {
		return base64.RawURLEncoding.EncodeToString(must(json.Marshal(map[string]string{"s": s, "k": k, "i": i})))
	}
	lists := []string{"/customers", "/sites", "/tokens", "/devices", "/needs", "/updates", "/approvals", "/jobs", "/activity", "/devices/" + w.device + "/items", "/devices/" + w.device + "/timeline"}
	forged := []string{"x", "%%%", "e30", cursor("", "", ""), cursor("name", "", "x"), cursor("", "", "x"), cursor("", "\x00\xff", "'; DROP TABLE device; --"),
		cursor("", strings.Repeat("9", 1000), strings.Repeat("z", 300)), base64.RawURLEncoding.EncodeToString([]byte(`{"s":[],"k":{}}`)), strings.Repeat("A", 3000)}
	for _, list := range lists {
		for _, after := range forged {
			status, body := w.call("GET", list+"?"+url.Values{"after": {after}}.Encode(), nil)
			var p view.Page[json.RawMessage]
			if status != 200 && status != 422 || status == 200 && json.Unmarshal(body, &p) != nil {
				t.Errorf("%s after %.40q: %d %.200s", list, after, status, body)
			}
		}
	}
}

func TestUnknownSortsAreRefused(t *testing.T) {
	w := newWorld(t, false).populated()
	for _, list := range []string{"/customers", "/sites", "/devices", "/needs", "/updates", "/devices/" + w.device + "/needs"} {
		for _, sort := range []string{"password_hash", "--name", "name,id", "name desc", "NAME", "'", "-"} {
			if status, body := w.call("GET", list+"?"+url.Values{"sort": {sort}}.Encode(), nil); status != 422 {
				t.Errorf("%s by %q: %d %.100s", list, sort, status, body)
			}
		}
	}
	for _, limit := range []string{"0", "-1", "501", "1e9", "x", "99999999999999999999"} {
		if status, _ := w.call("GET", "/customers?limit="+limit, nil); status != 422 {
			t.Errorf("limit=%s: %d", limit, status)
		}
	}
}

// An ID names one kind of thing. The same text in the place of another names nothing.
func TestIDsOfAnotherKindNameNothing(t *testing.T) {
	w := newWorld(t, false).populated()
	token := do[view.NewToken](w, 201, "POST", "/sites/"+w.site+"/tokens", TokenWish{}).ID
	key := do[APIKey](w, 201, "POST", "/me/keys", NewKey{Name: "script"}).ID
	me := do[SessionState](w, 200, "GET", "/session", nil).Person.ID
	ids := map[string]string{"customer": w.customer, "site": w.site, "device": w.device, "token": token, "key": key, "person": me,
		"msp": "msp", "engine": "engine", "star": "*", "percent": "%25", "quote": "'", "dash": "-", "null": "null"}
	bodies := map[string]any{"customers-change": map[string]any{"name": "taken over"}, "sites-create": NewSite{Name: "x", Zone: "UTC"},
		"sites-change": map[string]any{"name": "taken over"}, "tokens-create": TokenWish{}, "devices-change": DeviceChange{Name: "x"},
		"groups-create": NewGroup{Name: "x"}, "groups-change": map[string]any{"name": "x"}, "sites-say": map[string]any{"exposure": "open"}, "customers-say": map[string]any{"exposure": "open"}}
	for _, r := range routes() {
		_, rest, ok := strings.Cut(r.path, "{")
		if !ok {
			continue
		}
		kind, _, _ := strings.Cut(rest, "}")
		if kind == "product" {
			continue // is called by its name, which may be any text
		}
		for of, id := range ids {
			if of == kind {
				continue
			}
			path := strings.TrimPrefix(strings.Replace(r.path, "{"+kind+"}", id, 1), base)
			if status, body := w.call(r.method, path, bodies[r.id]); status < 400 || status >= 500 {
				t.Errorf("%s with the ID of a %s: %d %.200s", r.id, of, status, body)
			}
		}
	}
	for _, level := range []string{"customer", "site", "device", "msp"} {
		for of, id := range ids {
			if of == level {
				continue
			}
			status, body := w.call("POST", "/approvals", ApprovalWish{Level: level, Target: id, What: ApprovalTarget{All: true}, Answer: "approve"})
			if status < 400 || status >= 500 {
				t.Errorf("approving for the %s with the ID of a %s: %d %.200s", level, of, status, body)
			}
		}
	}
}

// Characters that turn text around or cannot be seen make one name look like another.
// People may not use them; from devices they come out as �.
func TestNamesCannotHide(t *testing.T) {
	w := newWorld(t, false).populated()
	for _, name := range []string{"Acme\u202egpj", "A\u2066cme", "Ac\u200bme", "\ufeffAcme", "Ac\u00adme", "\u200f", "Acme\u2028x", "a\U000E0041b", "\u200d", "x\ue000"} {
		do[Problem](w, 422, "POST", "/customers", NewCustomer{Name: name})
		do[Problem](w, 422, "PATCH", "/devices/"+w.device, DeviceChange{Name: name})
	}
	for _, name := range []string{"חברה בע״מ", "شركة", "نامه\u200cها", "株式会社", "Ünïcödé & Söhne", "👩‍💻 Labs", "O’Neill"} {
		do[view.Customer](w, 201, "POST", "/customers", NewCustomer{Name: name})
	}
	tricky := "safe\u202etxt.exe\u2066\u200e\u061c\u200b"
	device := w.enrolled(tricky)
	for _, path := range []string{"/devices", "/devices/" + device, "/activity", "/devices/" + device + "/timeline"} {
		_, body := w.call("GET", path, nil)
		if strings.ContainsAny(string(body), "\u202e\u2066\u200e\u061c\u200b") || !strings.HasSuffix(path, "/timeline") && !strings.Contains(string(body), "safe\ufffdtxt.exe") {
			t.Errorf("%s shows %q", path, body)
		}
	}
	// The name as it is shown is what confirms.
	shown := do[view.Device](w, 200, "GET", "/devices/"+device, nil).Name
	do[struct{}](w, 204, "DELETE", "/devices/"+device+"?"+url.Values{"confirm": {shown}}.Encode(), nil)
}

func TestEventsCannotHide(t *testing.T) {
	w := newWorld(t, false).signedIn()
	w.options.Events = trickyEvent{}
	s, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	w.server.Config.Handler = s
	answer := w.get("/events", "")
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "data:") {
			if strings.Contains(line, "\u202e") {
				t.Errorf("an event says %q", line)
			}
			return
		}
	}
}

type trickyEvent struct{}

func (trickyEvent) Subscribe(context.Context) <-chan view.Event {
	c := make(chan view.Event, 1)
	c <- view.Event{Kind: "device", Device: "a\u202eb"}
	return c
}

func TestHugeBodiesAreRefused(t *testing.T) {
	w := newWorld(t, false).signedIn()
	for body, want := range map[string]int{
		`{"name":` + strings.Repeat("[", 30_000):                            400,
		`{"name":"x","note":"` + strings.Repeat("x", maxBody) + `"}`:        413,
		strings.Repeat(" ", maxBody) + `{"name":"x"}`:                       413,
		`{` + strings.Repeat(`"a":1,`, 10_000) + `"name":"x"}`:              422,
		`{"name":"x","name":"` + strings.Repeat("y", 101) + `"}`:            422,
		`{"name":"` + strings.Repeat(`\u202e`, 20) + `"}`:                   422,
		`{"name":123456789012345678901234567890123456789012345678901234e9}`: 422,
	} {
		if status, text := w.call("POST", "/customers", body); status != want || len(text) > 4000 {
			t.Errorf("%.40s… answers %d with %d bytes, want %d", body, status, len(text), want)
		}
	}
}

// deadlines is a writer that remembers the last deadline it was given.
type deadlines struct {
	*httptest.ResponseRecorder
	last time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.last = at
	return nil
}

// Over HTTP/2 a deadline ends the stream when it passes, also while nothing is written: none
// may stand between two events.
func TestNoDeadlineStandsBetweenEvents(t *testing.T) {
	w := newWorld(t, false).signedIn()
	ctx, cancel := context.WithCancel(t.Context())
	events := make(endingEvent)
	w.options.Events = events
	s, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	to := &deadlines{ResponseRecorder: httptest.NewRecorder(), last: time.Unix(1, 0)}
	done := make(chan bool)
	go func() {
		s.stream(httptest.NewRequestWithContext(ctx, "GET", "/", nil), to)
		close(done)
	}()
	events <- view.Event{Kind: "device"}
	close(events)
	<-done
	cancel()
	if !to.last.IsZero() || !strings.Contains(to.Body.String(), "event: change") {
		t.Errorf("after an event the deadline is %v; sent was %q", to.last, to.Body)
	}
}

type endingEvent chan view.Event

func (e endingEvent) Subscribe(context.Context) <-chan view.Event { return e }
