package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"patchbay/server/view"
)

// fakeServer answers a few routes and remembers what it was asked.
type fakeServer struct {
	*httptest.Server
	asked  []string
	bodies map[string]string
}

// heldFeed is a feed of which a version waits for a person.
const heldFeed = `{"name":"osv-suse","standing":"held","version":{"records":100,"added":3,"removed":40,"size":3145728},"held":{"sha256":"abcd","records":63},"why":"Of 100 records 40 vanished\u001b.","error":{"sentence":"It is away."}}`

func newFakeServer(t *testing.T) *fakeServer {
	f := &fakeServer{bodies: map[string]string{}}
	answers := map[string]string{
		"GET /api/v1/content/" + theHash:             `{"sha256":"` + theHash + `","name":"there.msi","size":5,"state":"here"}`,
		"GET /api/v1/content":                        `{"items":[{"sha256":"` + theHash + `","name":"gone\u001b.msi","size":3145728,"state":"missing","needed_by":{"sentence":"A job that is not over installs it."}}],"total":1}`,
		"GET /api/v1/content/usage":                  `{"files":1,"used":3145728,"budget":1073741824,"needed":3145728}`,
		"GET /api/v1/content/fetches":                `{"items":[{"sha256":"` + theHash + `","name":"x","state":"failed","received":5,"size":10,"error":"It broke off.","ended_at":"2026-01-01T00:00:00Z"}]}`,
		"POST /api/v1/content/" + theHash + "/fetch": `{"sha256":"` + theHash + `","name":"x","state":"waiting"}`,
		"GET /api/v1/feeds":                          `{"items":[` + heldFeed + `,{"name":"kev","standing":"fresh","can":{"accept":"No version of this feed waits for anybody."}}]}`,
		"POST /api/v1/feeds/osv-suse/accept":         heldFeed,
		"PUT /api/v1/feeds/bundle":                   `{"items":[{"name":"kev","outcome":"taken","records":3}],"broken":"It breaks off."}`,
		"POST /api/v1/me/keys":                       `{"id":"key_1","name":"x","key":"pbk_fresh","created_at":"2026-01-01T00:00:00Z","expires_at":"2026-04-01T00:00:00Z"}`,
		"GET /api/v1/customers":                      `{"items":[{"id":"cus_1","name":"Müller\u001b[31m GmbH"},{"id":"cus_2","name":"Lang"}],"total":2}`,
		"GET /api/v1/sites/site_1":                   theSite,
		"GET /api/v1/groups":                         `{"items":[{"id":"grp_1","name":"Tills","customer":{"id":"cus_2","name":"Lang"},"rank":1},{"id":"grp_2","name":"Tills\u001b"},{"id":"grp_3","name":"Twice"},{"id":"grp_4","name":"Twice"}],"total":4}`,
		"GET /api/v1/devices/dev_1":                  `{"id":"dev_1","customer":{"id":"cus_2"}}`,
		"POST /api/v1/devices/change":                `{"devices":2}`,
		"PATCH /api/v1/groups/grp_1":                 `{"id":"grp_1"}`,
		"POST /api/v1/customers/cus_2/groups":        `{"id":"grp_5"}`,
		"PATCH /api/v1/sites/site_1/attributes":      `{"exposure":{"value":"controlled","level":"site","by":"Ann","set_at":"2026-01-01T00:00:00Z"}}`,
		"GET /api/v1/customers/cus_2/attributes":     `{}`,
		"PATCH /api/v1/sites/site_1":                 theSite,
		"POST /api/v1/approvals/preview":             `{"sentence":"Approves 1 update on web-01.","updates_list":[]}`,
		"POST /api/v1/approvals":                     `{"approvals":[],"preview":{"sentence":"Approves 1 update on web-01.","updates_list":[]}}`,
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := r.Method + " " + r.URL.Path
		var b bytes.Buffer
		b.ReadFrom(r.Body)
		f.asked, f.bodies[what] = append(f.asked, what+" "+r.Header.Get("Authorization")), b.String()
		switch {
		case what == "POST /api/v1/session" && !strings.Contains(b.String(), `"code":"123456"`):
			w.WriteHeader(401)
			w.Write([]byte(`{"type":"code-required","status":401,"detail":"Enter the code."}`))
		case what == "POST /api/v1/session":
			http.SetCookie(w, &http.Cookie{Name: "patchbay_session", Value: "s"})
			w.Write([]byte(`{}`))
		case r.Method == "PUT" && strings.HasPrefix(r.URL.Path, "/api/v1/content/"):
			w.WriteHeader(201)
			w.Write([]byte(`{"sha256":"` + strings.TrimPrefix(r.URL.Path, "/api/v1/content/") + `","name":"` + r.URL.Query().Get("name") + `","size":5,"state":"here"}`))
		case r.Method == "DELETE" && strings.HasPrefix(r.URL.Path, "/api/v1/content/"):
			w.WriteHeader(409)
			w.Write([]byte(`{"status":409,"detail":"This file is needed. A job that is not over installs it."}`))
		default:
			w.Write([]byte(answers[what]))
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// run runs a command line with its own home directory.
func run(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	all := struct {
		Commands
		Globals
	}{Globals: Globals{Out: &out, In: strings.NewReader(input), Now: func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }}}
	parser, err := kong.New(&all, kong.Name("patchbay"), kong.BindTo(t.Context(), (*context.Context)(nil)), kong.Bind(&all.Globals))
	if err != nil {
		t.Fatal(err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return "", err
	}
	err = command.Run()
	return out.String(), err
}

func home(t *testing.T) string {
	dir := t.TempDir()
	for _, name := range []string{"XDG_CONFIG_HOME", "HOME", "AppData"} {
		t.Setenv(name, dir)
	}
	return dir
}

func TestLoginKeepsAKeyOnly(t *testing.T) {
	dir, f := home(t), newFakeServer(t)
	if _, err := run(t, "mia@example.test\nsecret password\n123456\n", "login", "--server", f.URL); err != nil {
		t.Fatal(err)
	}
	var name string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || filepath.Base(name) != "login.json" {
		t.Fatalf("kept in %q, %v", name, err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the login is readable as %v", info.Mode())
	}
	text, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(text), "pbk_fresh") || strings.Contains(string(text), "secret password") {
		t.Errorf("kept %s, %v", text, err)
	}
	if !strings.Contains(strings.Join(f.asked, "\n"), "DELETE /api/v1/session") {
		t.Error("the session was left open")
	}
	if _, err := run(t, "", "customer", "list"); err != nil {
		t.Error(err)
	}
	if last := f.asked[len(f.asked)-1]; last != "GET /api/v1/customers Bearer pbk_fresh" {
		t.Errorf("asked %s", last)
	}
	if _, err := run(t, "", "logout"); err != nil {
		t.Error(err)
	}
	if _, err := run(t, "", "customer", "list"); err == nil {
		t.Error("still signed in after logout")
	}
}

func TestKeyIsNotSentToAnotherServer(t *testing.T) {
	home(t)
	f, other := newFakeServer(t), newFakeServer(t)
	if _, err := run(t, "a@b\np\n123456\n", "login", "--server", f.URL); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "", "customer", "list", "--server", other.URL); err == nil || len(other.asked) > 0 {
		t.Errorf("asked %v, %v", other.asked, err)
	}
}

func TestTablesAndJSON(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	people, err := run(t, "", "customer", "list", "--server", f.URL, "--key", "pbk_x")
	if err != nil || strings.ContainsRune(people, '\x1b') || !strings.Contains(people, "Müller·[31m GmbH") {
		t.Errorf("for people: %q, %v", people, err)
	}
	text, err := run(t, "", "customer", "list", "--server", f.URL, "--key", "pbk_x", "--json")
	var page view.Page[view.Customer]
	if err != nil || json.Unmarshal([]byte(text), &page) != nil || len(page.Items) != 2 {
		t.Errorf("for programs: %q, %v", text, err)
	}
}

func TestApproveAsks(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	flags := []string{"--server", f.URL, "--key", "pbk_x"}
	if out, err := run(t, "", append([]string{"approve", "--customer", "Lang", "--security", "--dry-run", "--now"}, flags...)...); err != nil || !strings.Contains(out, "Approves 1 update") {
		t.Errorf("%q, %v", out, err)
	}
	if got := f.bodies["POST /api/v1/approvals/preview"]; got != `{"level":"customer","target":"cus_2","what":{"class":"security"},"answer":"approve","now":true}` {
		t.Errorf("asked %s", got)
	}
	if len(f.bodies["POST /api/v1/approvals"]) > 0 {
		t.Error("a dry run wrote")
	}
	if _, err := run(t, "", append([]string{"undo", "--customer", "Lang", "--update", "upd_1", "--reason", "breaks the till", "--dry-run", "--now"}, flags...)...); err != nil {
		t.Error(err)
	}
	if got := f.bodies["POST /api/v1/approvals/preview"]; got != `{"level":"customer","target":"cus_2","what":{"update":"upd_1"},"answer":"undo","reason":"breaks the till","now":true}` {
		t.Errorf("asked %s", got)
	}
	for _, bad := range [][]string{
		{"undo", "--customer", "Lang", "--update", "upd_1"}, {"undo", "--customer", "Lang", "--reason", "x", "--all"},
		{"approve", "--security"}, {"approve", "--customer", "Nobody", "--all"}, {"approve", "--customer", "Lang", "--site", "x", "--all"},
		{"reject", "--device", "dev_1", "--update", "upd_1"}, {"approve", "--all", "--security", "--device", "dev_1"},
	} {
		if _, err := run(t, "", append(bad, flags...)...); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func TestPolicyFlags(t *testing.T) {
	p, err := PolicyFlags{Auto: "security", Window: []string{"sat,sun 22:00 240", " mon  01:30 90 "}, Reboot: "ask", Postpone: 3, Deadline: 48, RebootsDaily: 2}.policy()
	if err != nil || len(p.Windows) != 2 || strings.Join(p.Windows[0].Days, "+") != "sat+sun" || p.Windows[1].Minutes != 90 || p.Windows[1].Start != "01:30" ||
		p.Reboots != (view.Reboots{When: "ask", Postpone: 3, DeadlineHours: 48, Daily: 2}) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{"", "sat", "sat 22:00", "sat 22:00 long", "sat 22:00 1 2"} {
		if _, err := (PolicyFlags{Window: []string{bad}}).policy(); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestTimesAsPeopleSayThem(t *testing.T) {
	now := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	tab := &table{now: now}
	for want, at := range map[string]time.Time{"-": {}, "now": now, "5 min ago": now.Add(-5 * time.Minute), "3 h ago": now.Add(-3 * time.Hour),
		"9 days ago": now.AddDate(0, 0, -9), "in 2 h": now.Add(2 * time.Hour)} {
		if got := tab.ago(at); got != want {
			t.Errorf("%v is %q, want %q", at, got, want)
		}
	}
}
