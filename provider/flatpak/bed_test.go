//go:build linux

package flatpak_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/flatpak"
	"patchbay/provider/providertest"
	"patchbay/test/bed"
)

const (
	hello    = "org.example.Hello"
	platform = "org.example.Platform"
	arch     = "x86_64"
)

// deviceHost is a device of the test bed as a provider sees it.
type deviceHost struct{ d *bed.Device }

func (h deviceHost) Run(ctx context.Context, c provider.Command) (provider.Result, error) {
	args := append([]string{"env", "-i", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, c.Env...)
	r, err := h.d.ExecWith(ctx, c.Input, append(args, c.Args...)...)
	return provider.Result{Stdout: r.Stdout, Stderr: r.Stderr, Code: r.Code}, err
}

func (h deviceHost) Files() fs.FS { return os.DirFS(h.d.Root()) }

// repo is a repository of apps, signed by a key of its own, made by flatpak's own tools.
type repo struct {
	t        *testing.T
	dir      string
	key      string
	versions map[string]string // of commits, by app and number, as Patchbay writes them
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	for _, tool := range []string{"flatpak", "gpg"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("PATCHBAY_BED_REQUIRED") != "" {
				t.Fatalf("there is no %s; test/bed/install-packages.sh installs it", tool)
			}
			t.Skipf("there is no %s; test/bed/install-packages.sh installs it", tool)
		}
	}
	r := &repo{t: t, dir: t.TempDir(), versions: map[string]string{}}
	if err := os.Mkdir(r.gpg(), 0o700); err != nil {
		t.Fatal(err)
	}
	r.newKey("Bed <bed@example.org>")
	t.Cleanup(func() {
		stop := exec.Command("gpgconf", "--homedir", r.gpg(), "--kill", "gpg-agent")
		_ = stop.Run() // it ends by itself too, when its folder is gone
	})
	return r
}

func (r *repo) gpg() string { return filepath.Join(r.dir, "gpg") }

// newKey makes the key that signs from now on.
func (r *repo) newKey(name string) {
	r.t.Helper()
	r.run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", name, "ed25519", "sign", "never")
	list := r.run("gpg", "--list-keys", "--with-colons", name)
	r.key = regexp.MustCompile(`(?m)^fpr:+([0-9A-F]+):`).FindStringSubmatch(list)[1]
	if err := os.WriteFile(filepath.Join(r.dir, "key.gpg"), []byte(r.run("gpg", "--export", r.key)), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) run(name string, args ...string) string {
	r.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(r.t.Context(), name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, &out, &errs
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "GNUPGHOME="+r.gpg())
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("%s %q: %v\n%s", name, args, err, errs.String())
	}
	return out.String()
}

// publish makes version n of an app, of the n-th day of the year.
func (r *repo) publish(app string, n int, more ...string) {
	r.t.Helper()
	kind, branch, group := "app", "stable", "Application"
	if app == platform {
		kind, branch, group = "runtime", "1.0", "Runtime"
	}
	dir := filepath.Join(r.dir, "build")
	ref := platform + "/" + arch + "/1.0"
	meta := fmt.Sprintf("[%s]\nname=%s\nruntime=%s\nsdk=%s\n", group, app, ref, ref)
	if kind == "app" {
		meta += "command=hello\n"
	}
	about := filepath.Join(dir, "files/share/app-info/xmls")
	xml := fmt.Sprintf(`<?xml version="1.0"?><components version="0.8" origin="%[1]s"><component type="desktop"><id>%[1]s</id><name>Hello</name>`+
		`<summary>Says hello</summary><bundle type="flatpak">app/%[1]s/%[2]s/stable</bundle><releases><release version="%[3]d.0" timestamp="1760000000"/></releases></component></components>`, app, arch, n)
	err := errors.Join(os.RemoveAll(dir), os.MkdirAll(about, 0o755), os.Mkdir(filepath.Join(dir, "usr"), 0o755), os.Mkdir(filepath.Join(dir, "export"), 0o755),
		os.WriteFile(filepath.Join(dir, "metadata"), []byte(meta), 0o644),
		os.WriteFile(filepath.Join(dir, "files/what"), fmt.Appendf(nil, "%s %d\n", app, n), 0o644),
		os.WriteFile(filepath.Join(about, app+".xml"), []byte(xml), 0o644))
	if err != nil {
		r.t.Fatal(err)
	}
	r.run("gzip", "-n", filepath.Join(about, app+".xml"))
	at := time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC)
	args := []string{"build-export", "--arch=" + arch, "--gpg-sign=" + r.key, "--gpg-homedir=" + r.gpg(), fmt.Sprintf("--subject=Version %d", n), "--timestamp=" + at.Format(time.RFC3339)}
	if kind == "runtime" {
		args = append(args, "--runtime", "--files=files")
	}
	out := r.run("flatpak", append(append(args, more...), "repo", "build", branch)...)
	commit := regexp.MustCompile(`Commit: ([0-9a-f]{64})`).FindStringSubmatch(out)[1]
	r.versions[fmt.Sprint(app, n)] = at.Format("20060102.150405") + "-" + commit
	r.run("flatpak", "build-update-repo", "--gpg-sign="+r.key, "--gpg-homedir="+r.gpg(), "repo")
}

// scene is a device with flatpak, and what it takes from where.
type scene struct {
	*repo
	d       *bed.Device
	down    *atomic.Bool // the repository cannot be reached
	url     string
	p       provider.Provider
	records providertest.Records
}

func setScene(t *testing.T) scene {
	t.Helper()
	t.Parallel()
	b := bed.New(t)
	s := scene{repo: newRepo(t), down: &atomic.Bool{}, records: providertest.Records{}}
	s.publish(platform, 1)
	s.publish(hello, 1)
	l := b.Listen(t)
	files := http.FileServer(http.Dir(filepath.Join(s.dir, "repo")))
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = c.Close() // as a line that is cut
			}
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		files.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	s.url = "http://" + l.Addr().String()
	s.d = b.Device(t, bed.Options{With: []string{"flatpak", "dbus"}})
	s.d.Must(t, "mkdir", "-p", "/run/dbus")
	s.d.Must(t, "dbus-daemon", "--system", "--fork") // flatpak asks it what a user may do
	if err := s.d.CopyFile(filepath.Join(s.dir, "key.gpg"), "/root/key.gpg", 0o644); err != nil {
		t.Fatal(err)
	}
	s.d.Must(t, "flatpak", "remote-add", "--system", "--gpg-import=/root/key.gpg", "bed", s.url)
	s.d.Must(t, "flatpak", "install", "--system", "-y", "--noninteractive", "bed", hello)
	env := provider.Env{Host: deviceHost{s.d}, Log: slog.New(slog.DiscardHandler), Records: s.records, Now: time.Now}
	p, err := flatpak.Kind().Open(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	s.p = p
	return s
}

// refresh asks the remotes, and gives the sources by name.
func (s scene) refresh(t *testing.T) []patch.Source {
	t.Helper()
	sources, err := s.p.(provider.Refresher).Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

// item gives what is installed of an app, "" is the system's.
func (s scene) item(t *testing.T, scope, name string) patch.Item {
	t.Helper()
	items, err := s.p.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(items, func(i patch.Item) bool { return i.Name == name && i.Scope == scope })
	if i < 0 {
		t.Fatalf("%s of %q is not among %+v", name, scope, items)
	}
	return items[i]
}

// offered gives the update on offer; zero when there is none.
func (s scene) offered(t *testing.T, scope, name string) patch.Update {
	t.Helper()
	offer, err := s.p.Available(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(offer.Updates, func(u patch.Update) bool { return u.Name == name && u.Scope == scope })
	if i < 0 {
		return patch.Update{}
	}
	return offer.Updates[i]
}

// to is the update of an installed item to a version.
func (s scene) to(t *testing.T, scope, name, version string) provider.Request {
	i := s.item(t, scope, name)
	return provider.Request{Updates: []patch.Update{{Provider: i.Provider, Scope: scope, Name: name, Architecture: i.Architecture, Instance: i.Instance,
		Installed: i.Version, Available: version}}}
}

func (s scene) version(app string, n int) string { return s.versions[fmt.Sprint(app, n)] }

func TestDeviceSaysWhatIsInstalledAndOnOffer(t *testing.T) {
	s := setScene(t)
	want := patch.Item{Provider: "flatpak", Name: hello, Architecture: arch, Instance: "stable", Version: s.version(hello, 1), SourceVersion: "1.0", Origin: "bed"}
	if got := s.item(t, "", hello); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := s.item(t, "", platform); !got.Auto || got.Version != s.version(platform, 1) || got.Instance != "1.0" {
		t.Errorf("the runtime is %+v", got)
	}
	s.refresh(t)
	if u := s.offered(t, "", hello); u.Available != "" {
		t.Errorf("%+v is on offer, though nothing is newer", u)
	}
	s.publish(hello, 2)
	if u := s.offered(t, "", hello); u.Available != "" {
		t.Error("what nobody refreshed is known")
	}
	sources := s.refresh(t)
	if len(sources) != 1 || sources[0].Error != "" || sources[0].RefreshedAt == nil || sources[0].SignedAt == nil || !sources[0].ThirdParty || sources[0].Name != "bed "+s.url {
		t.Errorf("the sources are %+v", sources)
	}
	u := s.offered(t, "", hello)
	if u.Installed != s.version(hello, 1) || u.Available != s.version(hello, 2) || u.Size == 0 || u.Block != "" || u.ReleasedAt == nil || u.Origin != "bed" || u.Reversibility != patch.ByManager {
		t.Errorf("the update is %+v", u)
	}
}

// TestDeviceInstallsExactlyWhatWasApproved is the law: the commit that was approved, not the
// newest; twice is harmless, nothing goes down, and the way back leads to what was there.
func TestDeviceInstallsExactlyWhatWasApproved(t *testing.T) {
	s := setScene(t)
	s.publish(hello, 2)
	s.publish(hello, 3)
	s.publish(platform, 2)
	s.refresh(t)
	first := s.to(t, "", hello, s.version(hello, 2))
	for range 2 {
		out, err := s.p.Apply(t.Context(), first)
		if err != nil {
			t.Fatal(err, out.Messages)
		}
	}
	if i := s.item(t, "", hello); i.Version != s.version(hello, 2) || i.SourceVersion != "2.0" || i.Previous != s.version(hello, 1) {
		t.Fatalf("it is %+v", i)
	}
	if i := s.item(t, "", platform); i.Version != s.version(platform, 1) {
		t.Errorf("the runtime was updated, which nobody approved: %s", i.Version)
	}
	if u := s.offered(t, "", hello); u.Available != s.version(hello, 3) {
		t.Errorf("on offer is %s", u.Available)
	}
	out, err := s.p.Apply(t.Context(), s.to(t, "", hello, s.version(hello, 1)))
	if err != nil || s.item(t, "", hello).Version != s.version(hello, 2) {
		t.Errorf("an older version was installed, or refused with a noise: %v, %+v", err, out)
	}
	undoer := s.p.(provider.Undoer)
	if _, err := undoer.Undo(t.Context(), s.to(t, "", hello, s.version(hello, 3))); !errors.Is(err, provider.ErrRefused) {
		t.Errorf("an undo to what was never here: %v", err)
	}
	back := s.to(t, "", hello, s.version(hello, 1))
	for range 2 {
		if out, err = undoer.Undo(t.Context(), back); err != nil {
			t.Fatal(err, out.Messages)
		}
	}
	if i := s.item(t, "", hello); i.Version != s.version(hello, 1) || i.Previous != "" {
		t.Errorf("after the undo it is %+v", i)
	}
}

func TestDeviceRefusesAnOlderCommitUnderANewerName(t *testing.T) {
	s := setScene(t)
	s.publish(hello, 2)
	s.refresh(t)
	if _, err := s.p.Apply(t.Context(), s.to(t, "", hello, s.version(hello, 2))); err != nil {
		t.Fatal(err)
	}
	_, commit, _ := strings.Cut(s.version(hello, 1), "-")
	_, err := s.p.Apply(t.Context(), s.to(t, "", hello, "20260601.120000-"+commit))
	if !errors.Is(err, provider.ErrRefused) || s.item(t, "", hello).Version != s.version(hello, 2) {
		t.Errorf("an old commit came in as a new one: %v, now %s", err, s.item(t, "", hello).Version)
	}
	_, other, _ := strings.Cut(s.version(platform, 1), "-")
	_, err = s.p.Apply(t.Context(), s.to(t, "", hello, "20260601.120000-"+other))
	if !errors.Is(err, provider.ErrRefused) || s.item(t, "", hello).Version != s.version(hello, 2) {
		t.Errorf("another app's commit came in: %v", err)
	}
}

func TestDeviceInstallsNothingUnsignedAndNothingMasked(t *testing.T) {
	s := setScene(t)
	s.publish(hello, 2)
	s.refresh(t)
	s.d.Must(t, "flatpak", "mask", "--system", hello)
	if i, u := s.item(t, "", hello), s.offered(t, "", hello); !i.Held || u.Block != patch.Held {
		t.Errorf("masked, it is %+v, %+v", i, u)
	}
	if _, err := s.p.Apply(t.Context(), s.to(t, "", hello, s.version(hello, 2))); !errors.Is(err, provider.ErrRefused) {
		t.Errorf("what is masked was installed: %v", err)
	}
	s.d.Must(t, "flatpak", "mask", "--system", "--remove", hello)
	s.d.Must(t, "flatpak", "remote-modify", "--system", "--no-gpg-verify", "bed")
	if i, u := s.item(t, "", hello), s.offered(t, "", hello); i.Origin != "" || i.Orphan || u.Block != patch.Pinned {
		t.Errorf("unsigned, it is %+v, %+v", i, u)
	}
	if _, err := s.p.Apply(t.Context(), s.to(t, "", hello, s.version(hello, 2))); !errors.Is(err, provider.ErrRefused) || s.item(t, "", hello).Version != s.version(hello, 1) {
		t.Errorf("what is unsigned was installed: %v", err)
	}
	if sources := s.refresh(t); len(sources) != 1 || !strings.Contains(sources[0].Error, "without signatures") {
		t.Errorf("the sources are %+v", sources)
	}
}

func TestDeviceBelievesNoOtherKey(t *testing.T) {
	s := setScene(t)
	s.newKey("Somebody <else@example.org>")
	s.publish(hello, 2)
	if sources := s.refresh(t); sources[0].Error == "" {
		t.Errorf("a list signed by somebody else was believed: %+v", sources)
	}
	_, err := s.p.Apply(t.Context(), s.to(t, "", hello, s.version(hello, 2)))
	if err == nil || s.item(t, "", hello).Version != s.version(hello, 1) {
		t.Errorf("what somebody else signed was installed: %v", err)
	}
}

func TestDeviceWithoutItsRemote(t *testing.T) {
	s := setScene(t)
	s.publish(hello, 2)
	s.publish(hello, 3)
	s.refresh(t)
	second := s.to(t, "", hello, s.version(hello, 2))
	if err := s.p.(provider.Stager).Stage(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if v := s.item(t, "", hello).Version; v != s.version(hello, 1) {
		t.Fatalf("staging installed %s", v)
	}
	s.down.Store(true)
	if sources := s.refresh(t); sources[0].Error == "" || sources[0].RefreshedAt == nil {
		t.Errorf("a remote that is away: %+v", sources)
	}
	if u := s.offered(t, "", hello); u.Available != s.version(hello, 3) {
		t.Errorf("what was known of it is lost: %+v", u)
	}
	if _, err := s.p.Apply(t.Context(), s.to(t, "", hello, s.version(hello, 3))); !errors.Is(err, provider.ErrOffline) {
		t.Errorf("applying what is not here: %v", err)
	}
	if _, err := s.p.Apply(t.Context(), second); err != nil || s.item(t, "", hello).Version != s.version(hello, 2) {
		t.Errorf("applying what was staged: %v", err)
	}
}

// TestDeviceUpdatesAUsersOwnAsThatUser: nothing of it may come to belong to root, and the
// system's app of the same name is another item.
func TestDeviceUpdatesAUsersOwnAsThatUser(t *testing.T) {
	s := setScene(t)
	s.d.Must(t, "useradd", "-m", "bob")
	as := []string{"runuser", "-u", "bob", "--", "env", "HOME=/home/bob"}
	s.d.Must(t, "chmod", "755", "/root")
	s.d.Must(t, append(as, "flatpak", "remote-add", "--user", "--gpg-import=/root/key.gpg", "bed", s.url)...)
	s.d.Must(t, append(as, "flatpak", "install", "--user", "-y", "--noninteractive", "bed", hello)...)
	s.publish(hello, 2)
	if sources := s.refresh(t); len(sources) != 2 || sources[1].Name != "bed of bob "+s.url {
		t.Errorf("the sources are %+v", sources)
	}
	if _, err := s.p.Apply(t.Context(), s.to(t, "bob", hello, s.version(hello, 2))); err != nil {
		t.Fatal(err)
	}
	if bobs, own := s.item(t, "bob", hello), s.item(t, "", hello); bobs.Version != s.version(hello, 2) || own.Version != s.version(hello, 1) {
		t.Errorf("bob has %s, the system %s", bobs.Version, own.Version)
	}
	err := filepath.WalkDir(filepath.Join(s.d.Root(), "home/bob"), func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Sys().(*syscall.Stat_t).Uid == 0 {
			t.Errorf("%s is root's", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// bob puts a link where the agent reads.
	deploy := s.d.Must(t, "sh", "-c", "echo /home/bob/.local/share/flatpak/app/*/*/*/active/deploy")
	s.d.Must(t, append(as, "ln", "-sf", "/etc/shadow", strings.TrimSpace(deploy))...)
	if items, err := s.p.Installed(t.Context()); err == nil || strings.Contains(err.Error(), "root:") {
		t.Errorf("a link was followed: %v, %+v", err, items)
	}
}

func TestDeviceSaysWhatHasEnded(t *testing.T) {
	s := setScene(t)
	s.publish(hello, 2, "--end-of-life=Nobody looks after it.")
	s.refresh(t)
	offer, err := s.p.Available(t.Context())
	if err != nil || len(offer.Notes) != 1 || !strings.Contains(offer.Notes[0], "Nobody looks after it.") || !s.item(t, "", hello).Orphan {
		t.Errorf("%v, notes %q", err, offer.Notes)
	}
	if _, err := s.p.Apply(t.Context(), s.to(t, "", hello, s.version(hello, 2))); err != nil {
		t.Errorf("its last update: %v", err)
	}
	s.publish(hello, 3, "--end-of-life-rebase=org.example.New")
	s.refresh(t)
	if u := s.offered(t, "", hello); u.Block != patch.KeptBack || !strings.Contains(u.BlockWhy, "org.example.New") {
		t.Errorf("renamed, it is %+v", u)
	}
}
