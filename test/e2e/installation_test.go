// Package e2e tries Patchbay as its users do: the real server, the real agent on real
// Debian devices with a real apt and a signed archive, and an oracle that reads the truth
// off each device's disk from outside and is compared with every verdict.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// binaries builds the programs once for all tests.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "patchbay-e2e-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "patchbay/cmd/patchbay", "patchbay/cmd/patchbay-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	if os.Getenv(aheadBy) != "" {
		if err := serveAhead(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if dir, err := binaries(); err == nil && code >= 0 {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// installation is a running server with its first administrator.
type installation struct {
	t       *testing.T
	bed     *bed.Bed
	data    string
	bin     string
	console string        // the console's address, on loopback
	agents  string        // the agents' address, on the bridge
	key     string        // an API key of the administrator
	args    []string      // further ones of the server's
	ahead   time.Duration // of the server's clock, see serveAhead
	cmd     *exec.Cmd
	log     *logFile
}

// logFile is what a program wrote, for reading while it goes on.
type logFile struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps what is written.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was written so far.
func (l *logFile) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// install starts a server on a new bed and makes its first administrator by the one-time
// link, as a person would.
func install(t *testing.T, args ...string) *installation {
	t.Helper()
	in := installEmpty(t, args...)
	in.setUp()
	return in
}

// installEmpty starts a server on a new bed that has no administrator yet.
func installEmpty(t *testing.T, args ...string) *installation {
	t.Helper()
	b := bed.New(t) // skips when this machine cannot make one
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	in := &installation{t: t, bed: b, data: t.TempDir(), bin: bin, args: args}
	in.start("127.0.0.1:0", b.Address()+":0")
	t.Cleanup(func() {
		in.stop()
		if t.Failed() {
			t.Logf("the server's log:\n%s", in.log)
		}
	})
	return in
}

// with is the installation as a subtest uses it.
func (in *installation) with(t *testing.T) *installation {
	sub := *in
	sub.t = t
	return &sub
}

// withFeeds are the further arguments of the server. No test goes to the internet.
func (in *installation) withFeeds() []string {
	if slices.Contains(in.args, "--feeds") {
		return in.args
	}
	return append([]string{"--feeds", "none"}, in.args...)
}

// start runs the server and waits until it says where it listens.
func (in *installation) start(listen, agentListen string) {
	in.t.Helper()
	in.log = &logFile{}
	in.cmd = exec.Command(filepath.Join(in.bin, "patchbay"), append([]string{"serve", "--data", in.data, "--listen", listen,
		"--agent-listen", agentListen, "--link-file", filepath.Join(in.data, "link"), "--log-json"}, in.withFeeds()...)...)
	if in.ahead > 0 {
		in.cmd = exec.Command(os.Args[0])
		in.cmd.Env = append(os.Environ(), aheadBy+"="+strings.Join([]string{in.ahead.String(), in.data, listen, agentListen}, ","))
	}
	r, w := io.Pipe()
	in.cmd.Stderr = io.MultiWriter(in.log, w)
	in.cmd.Stdout = in.log
	if err := in.cmd.Start(); err != nil {
		in.t.Fatal(err)
	}
	listening := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line struct{ Msg, Console, Agents string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				in.console, in.agents = line.Console, line.Agents
				listening <- true
			}
		}
		io.Copy(io.Discard, r)
	}()
	select {
	case <-listening:
	case <-time.After(30 * time.Second):
		in.t.Fatalf("the server does not listen:\n%s", in.log)
	}
}

func (in *installation) stop() {
	if in.cmd.ProcessState == nil {
		in.cmd.Process.Signal(syscall.SIGTERM)
		in.cmd.Wait()
	}
}

// restart stops the server in order, or kills it, and starts it at the same addresses.
func (in *installation) restart(kill bool) {
	in.t.Helper()
	if kill {
		in.cmd.Process.Kill()
		in.cmd.Wait()
	} else {
		in.stop()
	}
	in.start(in.host(in.console), in.host(in.agents))
}

func (in *installation) host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		in.t.Fatal(err)
	}
	return u.Host
}

// setUp makes the first administrator and an API key.
func (in *installation) setUp() {
	in.t.Helper()
	link, err := os.ReadFile(filepath.Join(in.data, "link"))
	if err != nil {
		in.t.Fatal(err)
	}
	_, token, _ := strings.Cut(strings.TrimSpace(string(link)), "#")
	body := fmt.Sprintf(`{"token":%q,"email":%q,"name":"Ann Admin","password":%q}`, token, adminEmail, adminPassword)
	reply, err := http.Post(in.console+"/api/v1/setup", "application/json", strings.NewReader(body))
	if err != nil {
		in.t.Fatal(err)
	}
	in.makeKey(reply)
}

// makeKey makes an API key for whoever was signed in by the reply.
func (in *installation) makeKey(reply *http.Response) {
	in.t.Helper()
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK || len(reply.Cookies()) == 0 {
		text, _ := io.ReadAll(reply.Body)
		in.t.Fatalf("signing in: %s %s", reply.Status, text)
	}
	cookie := reply.Cookies()[0]
	request, _ := http.NewRequest(http.MethodPost, in.console+"/api/v1/me/keys", strings.NewReader(`{"name":"e2e","days":100}`))
	request.Header.Set("Content-Type", "application/json")
	request.AddCookie(cookie)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		in.t.Fatal(err)
	}
	defer reply.Body.Close()
	var made struct{ Key string }
	if err := json.NewDecoder(reply.Body).Decode(&made); err != nil || made.Key == "" {
		in.t.Fatalf("making a key: %s %v", reply.Status, err)
	}
	in.key = made.Key
}

const (
	adminEmail    = "ann@msp.example"
	adminPassword = "correct horse battery staple"
)

// try calls the API and gives the status and body.
func (in *installation) try(method, path string, body any) (int, []byte) {
	in.t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			in.t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, in.console+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		in.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+in.key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		in.t.Fatal(err)
	}
	defer reply.Body.Close()
	answer, err := io.ReadAll(reply.Body)
	if err != nil {
		in.t.Fatal(err)
	}
	return reply.StatusCode, answer
}

// call calls the API, which must succeed, and reads the answer.
func call[T any](in *installation, method, path string, body any) T {
	in.t.Helper()
	status, answer := in.try(method, path, body)
	if status/100 != 2 {
		in.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	var v T
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &v); err != nil {
			in.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
	return v
}

// object is a JSON object.
type object = map[string]any

// always is a window that is open from now on for a week less a quarter of an hour.
func always() object {
	return object{"zone": "UTC", "days": []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, "start": "00:00", "minutes": 1440}
}

// never is a site's policy without a window.
func byHand(windows ...object) object {
	return object{"auto": "by_hand", "windows": windows}
}

func (in *installation) customer(name string) string {
	in.t.Helper()
	return call[view.Customer](in, "POST", "/customers", object{"name": name}).ID
}

func (in *installation) site(customer, name string, policy object) string {
	in.t.Helper()
	return call[view.Site](in, "POST", "/customers/"+customer+"/sites", object{"name": name, "zone": "Europe/Berlin", "policy": policy}).ID
}

// endpoint is a device with an agent that is enrolled and runs.
type endpoint struct {
	*bed.Device
	in    *installation
	id    string
	agent *bed.Process
}

// enrol runs on the device the very line the console shows, then starts the agent.
func (in *installation) enrol(d *bed.Device, site string) *endpoint {
	in.t.Helper()
	token := call[view.NewToken](in, "POST", "/sites/"+site+"/tokens", object{"mode": "manage", "uses": 1, "hours": 1})
	if err := d.CopyFile(filepath.Join(in.bin, "patchbay-agent"), "/usr/bin/patchbay-agent", 0o755); err != nil {
		in.t.Fatal(err)
	}
	d.Must(in.t, strings.Fields(token.SecretLine)...)
	e := &endpoint{Device: d, in: in}
	e.run()
	for _, dev := range call[view.Page[view.Device]](in, "GET", "/devices?site="+site+"&limit=500", nil).Items {
		if dev.Name == d.Name {
			e.id = dev.ID
		}
	}
	if e.id == "" {
		e.waitFor("to be listed", func() bool {
			for _, dev := range call[view.Page[view.Device]](in, "GET", "/devices?site="+site+"&limit=500", nil).Items {
				if dev.Name == d.Name {
					e.id = dev.ID
				}
			}
			return e.id != ""
		})
	}
	in.t.Cleanup(func() {
		if in.t.Failed() {
			in.t.Logf("the agent's log on %s:\n%s", d.Name, e.agent.Output())
		}
	})
	return e
}

// run starts the agent, as its service would.
func (e *endpoint) run() {
	e.agent = e.Spawn(e.in.t, "/usr/bin/patchbay-agent", "run", "--reconnect", "1s")
}

// patience is how long anything may take on a busy machine.
const patience = 3 * time.Minute

// waitFor waits until the condition holds. It asks again whenever some time has passed,
// because it looks at other programs from outside.
func (e *endpoint) waitFor(what string, holds func() bool) {
	e.in.t.Helper()
	ctx, cancel := context.WithTimeout(e.in.t.Context(), patience)
	defer cancel()
	began := time.Now()
	defer func() {
		if took := time.Since(began); took > 5*time.Second {
			e.in.t.Logf("%s: waited %v %s", e.Name, took.Round(time.Second), what)
		}
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			e.in.t.Fatalf("%s: waited %v %s; its needs are %s", e.Name, patience, what, e.describe())
		case <-tick.C:
		}
	}
}

// needs lists the device's needs, by item name.
func (e *endpoint) needs() map[string]view.Need {
	e.in.t.Helper()
	needs := map[string]view.Need{}
	for _, n := range call[view.Page[view.Need]](e.in, "GET", "/needs?limit=500&device="+e.id, nil).Items {
		needs[n.Item.Name] = n
	}
	return needs
}

func (e *endpoint) describe() string {
	var b strings.Builder
	for name, n := range e.needs() {
		fmt.Fprintf(&b, "\n  %s %s → %s: %s: %s", name, n.Installed, n.Available, n.Verdict.Name, n.Verdict.Sentence)
	}
	return b.String()
}

// expect waits until the item has one of the verdicts and gives its need.
func (e *endpoint) expect(item string, verdicts ...string) view.Need {
	e.in.t.Helper()
	var need view.Need
	e.waitFor("for "+item+" to be "+strings.Join(verdicts, " or "), func() bool {
		n, ok := e.needs()[item]
		need = n
		for _, v := range verdicts {
			if ok && string(n.Verdict.Name) == v {
				return true
			}
		}
		return false
	})
	if !strings.HasSuffix(need.Verdict.Sentence, ".") || need.Verdict.Since.IsZero() {
		e.in.t.Errorf("%s: the verdict on %s has no whole sentence or no time: %+v", e.Name, item, need.Verdict)
	}
	return need
}

// approve answers yes for one item of the device.
func (e *endpoint) approve(item string, now bool, removals ...string) {
	e.in.t.Helper()
	need, ok := e.needs()[item]
	if !ok {
		e.in.t.Fatalf("%s does not need %s: %s", e.Name, item, e.describe())
	}
	body := object{"level": "device", "target": e.id, "what": object{"need": need.ID}, "answer": "approve", "now": now}
	if len(removals) > 0 {
		body["allow_removals"] = removals
	}
	call[object](e.in, "POST", "/approvals", body)
}

// scan asks the device to look again and check in.
func (e *endpoint) scan() {
	e.in.t.Helper()
	call[object](e.in, "POST", "/devices/"+e.id+"/checkin", object{})
}
