package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"patchbay/server/view"
)

func TestPagesShowEveryRowOnce(t *testing.T) {
	w := newWorld(t, false).signedIn()
	for i := range 23 {
		do[view.Customer](w, 201, "POST", "/customers", NewCustomer{Name: fmt.Sprintf("Customer %02d", i*7%23)})
	}
	for _, sort := range []string{"", "name", "-name", "created_at", "-open", "silent"} {
		seen, after, last := map[string]int{}, "", ""
		for range 20 {
			p := do[view.Page[view.Customer]](w, 200, "GET", "/customers?limit=4&sort="+sort+"&after="+after, nil)
			if p.Total != 23 || len(p.Items) > 4 || p.AsOf.IsZero() {
				t.Fatalf("the page is %+v", p)
			}
			for _, c := range p.Items {
				seen[c.ID]++
				if sort == "name" && c.Name < last || sort == "-name" && last != "" && c.Name > last {
					t.Errorf("by %s, %s comes after %s", sort, c.Name, last)
				}
				last = c.Name
			}
			if after = p.Next; after == "" {
				break
			}
		}
		if len(seen) != 23 {
			t.Errorf("by %q, %d of 23 rows were shown", sort, len(seen))
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("by %q, %s was shown %d times", sort, id, n)
			}
		}
	}
	p := do[view.Page[view.Customer]](w, 200, "GET", "/customers?limit=4&sort=name", nil)
	do[Problem](w, 422, "GET", "/customers?sort=-name&after="+p.Next, nil)
	if p := do[view.Page[view.Customer]](w, 200, "GET", "/customers?q=CUSTOMER%2013", nil); p.Total != 1 {
		t.Errorf("searching found %d", p.Total)
	}
}

func TestCustomersAndSites(t *testing.T) {
	w := newWorld(t, false).populated()
	do[Problem](w, 409, "POST", "/customers", NewCustomer{Name: "müller gmbh"})
	do[Problem](w, 422, "POST", "/customers", NewCustomer{Name: " \t "})
	do[Problem](w, 422, "POST", "/customers", NewCustomer{Name: "a\nb"})
	name := "Maier GmbH"
	if c := do[view.Customer](w, 200, "PATCH", "/customers/"+w.customer, CustomerChange{Name: &name}); c.Name != name || c.Sites != 1 {
		t.Errorf("changed to %+v", c)
	}
	do[Problem](w, 404, "GET", "/customers/cus_nope", nil)
	do[Problem](w, 404, "GET", "/sites/site_nope", nil)
	do[Problem](w, 404, "POST", "/customers/cus_nope/sites", NewSite{Name: "x", Zone: "UTC"})
	do[Problem](w, 422, "POST", "/customers/"+w.customer+"/sites", NewSite{Name: "x", Zone: "Mars/Olympus"})
	policy := view.Policy{Auto: "security", Reboots: view.Reboots{When: "ask", Postpone: 3, DeadlineHours: 48, Daily: 2}, Windows: []view.Weekly{{Days: []string{"sat"}, Start: "22:00", Minutes: 240}}}
	s := do[view.Site](w, 200, "PATCH", "/sites/"+w.site, SiteChange{Policy: &policy})
	if s.Policy.Windows[0].Zone != "Europe/Berlin" || s.Policy.Auto != "security" || s.Policy.Reboots != policy.Reboots || s.Window.NextOpen == nil {
		t.Errorf("the site is %+v", s)
	}
	if len(w.engine.customers) != 1 {
		t.Error("the engine was not told of the policy")
	}
	zone := "America/New_York"
	if s := do[view.Site](w, 200, "PATCH", "/sites/"+w.site, SiteChange{Zone: &zone}); s.Policy.Windows[0].Zone != zone {
		t.Errorf("the window stayed in %s", s.Policy.Windows[0].Zone)
	}
	for _, bad := range []view.Weekly{{Days: []string{"sat", "sat"}, Start: "22:00", Minutes: 60}, {Days: []string{"sat"}, Start: "29:00", Minutes: 60},
		{Days: []string{"sat"}, Start: "22:00", Minutes: 60, Zone: "Nowhere"}} {
		policy.Windows = []view.Weekly{bad}
		do[Problem](w, 422, "PATCH", "/sites/"+w.site, SiteChange{Policy: &policy})
	}
	c := do[view.Customer](w, 200, "GET", "/customers/"+w.customer, nil)
	if c.NextWindow == nil || c.NextWindow.SiteName != "Ulm" {
		t.Errorf("the next window is %+v", c.NextWindow)
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t, false).populated()
	made := do[view.NewToken](w, 201, "POST", "/sites/"+w.site+"/tokens", TokenWish{Hours: 1, Uses: 2, Mode: "observe", Note: "desk"})
	if made.State != "open" || made.CreatedBy != "Mia" || !strings.HasPrefix(made.SecretLine, "patchbay-agent enroll --server https://patchbay.test:8421 --token pbt_") {
		t.Errorf("made %+v", made)
	}
	_, list := w.call("GET", "/tokens?customer="+w.customer, nil)
	if _, secret, _ := strings.Cut(made.SecretLine, "--token "); bytes.Contains(list, []byte(secret[:20])) {
		t.Error("the list repeats the secret")
	}
	do[struct{}](w, 204, "DELETE", "/tokens/"+made.ID, nil)
	p := do[view.Page[view.Token]](w, 200, "GET", "/tokens?q=desk", nil)
	if p.Total != 1 || p.Items[0].State != "revoked" {
		t.Errorf("revoked: %+v", p.Items)
	}
	do[Problem](w, 422, "POST", "/sites/"+w.site+"/tokens", TokenWish{Hours: 721})
	do[Problem](w, 404, "DELETE", "/tokens/tok_nope", nil)
}

func TestDevice(t *testing.T) {
	w := newWorld(t, false).populated().needing()
	d := do[view.DeviceDetail](w, 200, "GET", "/devices/"+w.device, nil)
	if d.Zone != "Europe/Berlin" || d.Name != "web-01" {
		t.Errorf("the device is %+v", d)
	}
	do[struct{}](w, 202, "POST", "/devices/"+w.device+"/checkin", nil)
	if len(w.engine.checkIns) != 1 {
		t.Error("the engine was not asked")
	}
	do[view.DeviceDetail](w, 200, "PATCH", "/devices/"+w.device, DeviceChange{Name: "Empfang"})
	do[Problem](w, 422, "DELETE", "/devices/"+w.device, nil)
	do[Problem](w, 422, "DELETE", "/devices/"+w.device+"?confirm=other", nil)
	timeline := do[view.Page[view.TimelineEntry]](w, 200, "GET", "/devices/"+w.device+"/timeline", nil)
	if timeline.Total < 2 {
		t.Errorf("the timeline is %+v", timeline.Items)
	}
	do[struct{}](w, 204, "DELETE", "/devices/"+w.device+"?confirm=web-01", nil)
	for _, list := range []string{"needs", "items", "jobs"} {
		if p := do[struct{ Items []any }](w, 200, "GET", "/devices/"+w.device+"/"+list, nil); p.Items == nil {
			t.Errorf("%s: no list", list)
		}
	}
	n := do[view.NeedDetail](w, 200, "GET", "/needs/"+w.fleet.needs[0].ID, nil)
	if n.Item.Name != "openssl" {
		t.Errorf("the need is %+v", n)
	}
	do[view.UpdateDetail](w, 200, "GET", "/updates/upd_known", nil)
	do[Problem](w, 404, "GET", "/updates/upd_nope", nil)
	do[Problem](w, 404, "GET", "/jobs/job_nope", nil)
	w.fleet.devices = nil // it is retired: only its story stays
	if story := do[view.Story](w, 200, "GET", "/devices/"+w.device+"/story", nil); story.RetiredAt == nil || story.Device.Name == "" || len(story.Entries) < 2 {
		t.Errorf("the story of a retired device is %+v", story)
	}
	do[Problem](w, 404, "GET", "/devices/"+w.device+"/timeline", nil)
	do[Problem](w, 404, "GET", "/devices/dev_nope/story", nil)
}

func TestOverviewOfNothing(t *testing.T) {
	w := newWorld(t, false).signedIn()
	_, text := w.call("GET", "/overview", nil)
	if bytes.Contains(text, []byte(":null")) {
		t.Errorf("a list is null: %s", text)
	}
	o := do[view.Overview](w, 200, "GET", "/overview", nil)
	if len(o.Attention) != 1 || o.Attention[0].Kind != "enrol" || o.Sentence == "" {
		t.Errorf("the overview is %+v", o)
	}
	do[Problem](w, 404, "GET", "/overview?customer=cus_nope", nil)
	c := do[ChainChecks](w, 200, "GET", "/activity/verify", nil)
	if len(c.Chains) == 0 || !c.Chains[0].OK {
		t.Errorf("the chains are %+v", c)
	}
}

func TestEventsStream(t *testing.T) {
	w := newWorld(t, false).signedIn()
	r, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+base+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer := w.send(r)
	defer answer.Body.Close()
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if data != `{"kind":"device","device":"dev_1"}` {
				t.Errorf("told %s", data)
			}
			return
		}
	}
	t.Error("the stream ended without an event")
}

// lateEvent tells its event when the server's read timeout is long over.
type lateEvent struct{}

func (lateEvent) Subscribe(ctx context.Context) <-chan view.Event {
	c := make(chan view.Event)
	go func() {
		defer close(c)
		select {
		case <-time.After(400 * time.Millisecond):
			c <- view.Event{Kind: "job"}
		case <-ctx.Done():
		}
	}()
	return c
}

func TestEventsOutliveTheReadTimeout(t *testing.T) {
	w := newWorld(t, false).signedIn()
	w.options.Events = lateEvent{}
	s, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s)
	server.Config.ReadTimeout = 100 * time.Millisecond
	server.Start()
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+base+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer := w.send(r)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"job"`) {
			return
		}
	}
	t.Error("the stream ended before its event")
}

func TestConsoleFiles(t *testing.T) {
	w := newWorld(t, false)
	get := func(path string, header ...string) *http.Response {
		r, err := http.NewRequest("GET", w.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	body := func(r *http.Response) string {
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first, second := get("/"), get("/customers/cus_1")
	a, b := body(first), body(second)
	if !strings.HasPrefix(a, "<html>") || a == b || strings.Contains(a, nonceMark) ||
		!strings.Contains(first.Header.Get("Content-Security-Policy"), "'nonce-"+strings.TrimPrefix(a, "<html>")+"'") {
		t.Errorf("pages %q and %q with %s", a, b, first.Header.Get("Content-Security-Policy"))
	}
	asset := get("/assets/app-Ab3dEf9h.js", "Accept-Encoding", "gzip, br")
	if asset.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(asset.Header.Get("Cache-Control"), "immutable") || !strings.Contains(asset.Header.Get("Content-Type"), "javascript") {
		t.Errorf("the script comes with %v", asset.Header)
	}
	unzipped, err := gzip.NewReader(asset.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(unzipped); err != nil || len(text) != 7500 {
		t.Errorf("unzipped %d bytes, %v", len(text), err)
	}
	asset.Body.Close()
	if text := body(get("/assets/app-Ab3dEf9h.js", "Accept-Encoding", "identity")); len(text) != 7500 {
		t.Errorf("plain: %d bytes", len(text))
	}
	again := get("/robots.txt", "If-None-Match", get("/robots.txt").Header.Get("ETag"))
	if body(again) != "" || again.StatusCode != 304 {
		t.Errorf("asked again: %d", again.StatusCode)
	}
	for _, path := range []string{"/assets/gone-12345678.js", "/assets/", "/..%2f..%2fetc/passwd", "//etc/passwd", "/assets/../../etc/passwd"} {
		if r := get(path); r.StatusCode != 404 || strings.Contains(body(r), "root:") {
			t.Errorf("%s answers %d", path, r.StatusCode)
		}
	}
}

func TestDocumentIsWholeAndNotStale(t *testing.T) {
	doc, err := Document("dev")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile("../../console/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, stored) {
		t.Error("console/openapi.json is stale: go run ./server/api/openapi console/openapi.json")
	}
	var parsed struct {
		OpenAPI    string `json:"openapi"`
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(doc, &parsed); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(parsed.OpenAPI, "3.1") {
		t.Errorf("the document is of version %s", parsed.OpenAPI)
	}
	ids := map[string]bool{}
	for path, operations := range parsed.Paths {
		for method, op := range operations {
			id, _ := op.(map[string]any)["operationId"].(string)
			if id == "" || ids[id] {
				t.Errorf("%s %s: the ID %q is missing or doubled", method, path, id)
			}
			ids[id] = true
		}
	}
	if len(ids) != len(routes()) {
		t.Errorf("%d operations for %d routes", len(ids), len(routes()))
	}
	resolve(t, parsed.Components.Schemas, doc)
	if strings.Contains(string(doc), `"null"`) {
		t.Error("something may be null: leave it out instead")
	}
	w := newWorld(t, false)
	r, err := http.Get(w.server.URL + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if served, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(bytes.Replace(served, []byte(`"version": "test"`), []byte(`"version": "dev"`), 1), doc) {
		t.Error("what is served is another document")
	}
}

// resolve checks that every reference names a schema.
func resolve(t *testing.T, schemas map[string]any, doc []byte) {
	t.Helper()
	for _, part := range strings.Split(string(doc), `"$ref": "#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if _, ok := schemas[name]; !ok {
			t.Errorf("a reference to %s leads nowhere", name)
		}
	}
}
