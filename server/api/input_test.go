package api

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// planted is a secret that no answer may repeat.
const planted = "PLANTED-5ecr3t"

// hostile are bodies that no route may stumble over.
func hostile() map[string]string {
	deep := strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000)
	return map[string]string{
		"empty": "", "not JSON": planted, "cut": `{"name":"` + planted, "null": "null", "a number": "7", "an array": `["` + planted + `"]`,
		"a string": `"` + planted + `"`, "unknown field": `{"` + planted + `":"` + planted + `"}`, "deep": deep, "NUL": "{\"name\":\"a\x00" + planted + "\"}",
		"bad UTF-8": "{\"name\":\"\xff\xfe" + planted + "\"}", "two": `{} {"a":"` + planted + `"}`,
		"wrong types": `{"name":["` + planted + `"],"email":{"` + planted + `":1},"password":` + `7,"token":true,"code":{},"what":"` + planted +
			`","level":7,"policy":"` + planted + `","hours":"` + planted + `","zone":[],"days":"` + planted + `","note":{"x":"` + planted + `"}}`,
		"wrong words": `{"name":"` + planted + `","level":"` + planted + `","answer":"` + planted + `","mode":"` + planted + `","zone":"` + planted +
			`","what":{"class":"` + planted + `"},"policy":{"auto":"` + planted + `","windows":[{"days":["` + planted + `"],"start":"` + planted + `","minutes":1}]}}`,
		"long": `{"name":"` + strings.Repeat("x", 50_000) + `"}`, "huge": `{"name":"` + strings.Repeat(planted, 10_000) + `"}`,
		"big number": `{"hours":1e400,"uses":99999999999999999999,"days":-1}`, "control": `{"name":"a\u0000\u001b[31m` + planted + `"}`,
		"secret in place": `{"token":"` + planted + `","email":"` + planted + `","name":"x","password":"` + planted + `","code":"` + planted[:10] + `"}`,
	}
}

// TestHostileBodies sends every hostile body to every route, signed in: nothing crashes,
// nothing is repeated, and what is refused says what to change.
func TestHostileBodies(t *testing.T) {
	w := newWorld(t, false).populated()
	for _, r := range routes() {
		if r.method == "GET" || r.id == "session-close" {
			continue
		}
		for name, body := range hostile() {
			path := strings.NewReplacer("{customer}", w.customer, "{site}", w.site, "{device}", w.device).Replace(r.path)
			status, text := w.call(r.method, strings.TrimPrefix(placed(path), base), body)
			checkRefusal(t, r.id+" with body "+name, status, text, strings.Contains(name, "wrong") || name == "cut")
			if status < 300 && strings.Contains(string(text), planted) && !strings.Contains(body, `"name":"`) {
				t.Errorf("%s with body %s: accepted and repeated: %s", r.id, name, text)
			}
		}
	}
	if log := w.log.String(); strings.Contains(log, planted) || strings.Contains(log, "crashed") {
		t.Errorf("the log says %.2000s", log)
	}
}

func checkRefusal(t *testing.T, what string, status int, text []byte, mustRefuse bool) {
	t.Helper()
	if status >= 500 {
		t.Errorf("%s: %d %s", what, status, text)
	}
	if status < 300 {
		return
	}
	var p Problem
	if err := json.Unmarshal(text, &p); err != nil || p.Status != status || p.Detail == "" || p.Title == "" || p.Type == "" {
		t.Errorf("%s: %d is no problem document: %s", what, status, text)
	}
	if strings.Contains(string(text), planted) {
		t.Errorf("%s: repeats what was sent: %s", what, text)
	}
	if mustRefuse && status == 422 && len(p.Errors) == 0 {
		t.Errorf("%s: does not say what to change: %s", what, text)
	}
}

// TestHostileQueries gives every parameter of every list something it cannot be.
func TestHostileQueries(t *testing.T) {
	w := newWorld(t, false).populated()
	values := []string{planted, "-1", "0", "501", "1e9", "%00", "%ff%fe", "'%20OR%201=1--", strings.Repeat("A", 3000), "..%2f..%2fetc", "%3Cscript%3E", ""}
	for _, r := range routes() {
		if r.method != "GET" || r.id == "events-stream" {
			continue
		}
		path := strings.TrimPrefix(strings.NewReplacer("{customer}", w.customer, "{site}", w.site, "{device}", w.device).Replace(r.path), base)
		for _, param := range []string{"q", "sort", "after", "limit", "customer", "site", "device", "state", "class", "verdict", "update", "open", "unknown"} {
			for _, v := range values {
				status, text := w.call("GET", placed(path)+"?"+param+"="+v, nil)
				checkRefusal(t, r.id+"?"+param+"="+v[:min(20, len(v))], status, text, param != "customer" && param != "device")
			}
		}
	}
}

func TestBodyThatBreaksOffIsRefused(t *testing.T) {
	w := newWorld(t, false).signedIn()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("POST " + base + "/customers HTTP/1.1\r\nHost: localhost\r\nCookie: patchbay_session=" + w.cookie +
		"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"name\":\"Half\"}"))
	c.(*net.TCPConn).CloseWrite()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if err != nil || !strings.Contains(string(b[:n]), " 400 ") {
		t.Errorf("answered %q, %v", b[:n], err)
	}
	if p := do[struct{ Total int }](w, 200, "GET", "/customers", nil); p.Total != 0 {
		t.Errorf("%d customers were made of half a body", p.Total)
	}
}

func TestOtherContentTypesAreRefused(t *testing.T) {
	w := newWorld(t, false).signedIn()
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/cbor", "x", ";", "application/json+xml"} {
		r, err := http.NewRequest("POST", w.server.URL+base+"/customers", strings.NewReader("name=x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		answer := w.send(r)
		answer.Body.Close()
		if answer.StatusCode < 400 || answer.StatusCode >= 500 {
			t.Errorf("%q answers %d", kind, answer.StatusCode)
		}
	}
}

// FuzzBodies sends anything to every route that takes a body.
func FuzzBodies(f *testing.F) {
	w := newWorld(f, false).populated()
	var targets []route
	for _, r := range routes() {
		if r.method != "GET" && r.id != "session-close" && r.id != "devices-retire" {
			targets = append(targets, r)
		}
	}
	for i := range targets {
		for _, body := range hostile() {
			if len(body) < 2000 {
				f.Add(uint8(i), body)
			}
		}
	}
	f.Add(uint8(0), `{"level":"device","target":"x","what":{"all":true},"answer":"approve"}`)
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		w := *w
		w.t = t
		r := targets[int(which)%len(targets)]
		path := strings.NewReplacer("{customer}", w.customer, "{site}", w.site, "{device}", w.device).Replace(r.path)
		status, text := w.call(r.method, strings.TrimPrefix(placed(path), base), body)
		if status >= 500 {
			t.Errorf("%s: %d %s", r.id, status, text)
		}
	})
}

func TestRefusalsRepeatNothing(t *testing.T) {
	for _, d := range []huma.ErrorDetail{
		{Location: "body", Message: "invalid character '" + planted + "'", Value: planted},
		{Location: "body." + planted, Message: "unexpected property", Value: planted},
		{Location: "body.a[3]." + planted + ".b", Message: "expected string", Value: planted},
		{Location: "query.x", Message: "invalid value: " + planted},
		{Location: planted, Message: planted, Value: planted},
	} {
		if f := cleanedField(d); strings.Contains(f.Location+f.Message, planted) {
			t.Errorf("%+v becomes %+v", d, f)
		}
	}
}
