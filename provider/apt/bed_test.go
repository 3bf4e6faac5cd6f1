//go:build linux

package apt_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/apt"
	"patchbay/provider/providertest"
	"patchbay/test/bed"
)

// deviceHost is a device of the test bed as a provider sees it.
type deviceHost struct{ d *bed.Device }

func (h deviceHost) Run(ctx context.Context, c provider.Command) (provider.Result, error) {
	args := append([]string{"env", "-i", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, c.Env...)
	r, err := h.d.ExecWith(ctx, c.Input, append(args, c.Args...)...)
	if c.Line != nil {
		for line := range strings.Lines(r.Stdout + r.Stderr) {
			c.Line(strings.TrimRight(line, "\n"))
		}
	}
	return provider.Result{Stdout: r.Stdout, Stderr: r.Stderr, Code: r.Code}, err
}

func (h deviceHost) Files() fs.FS { return deviceFiles{h.d, os.DirFS(h.d.Root())} }

// deviceFiles sees what is only in the running device's memory, too.
type deviceFiles struct {
	d    *bed.Device
	disk fs.FS
}

func (f deviceFiles) Open(name string) (fs.File, error) {
	if !strings.HasPrefix(name, "run/") && !strings.HasPrefix(name, "proc/") {
		return f.disk.Open(name)
	}
	b, err := f.d.ReadFile("/" + name)
	if err != nil {
		return nil, err
	}
	return fstest.MapFS{name: &fstest.MapFile{Data: b}}.Open(name)
}

// scene is a device, where its packages come from, and its provider.
type scene struct {
	*bed.Device
	archive *bed.Archive
	origin  *bed.Origin
	apt     provider.Provider
	records providertest.Records
}

// setScene makes a device that has version 1.0 of the packages.
func setScene(t *testing.T, o bed.Options, packages ...string) scene {
	t.Helper()
	t.Parallel()
	b := bed.New(t)
	s := scene{archive: bed.NewArchive(t), records: providertest.Records{}}
	s.archive.Publish(t, bed.Stable, "1.0")
	s.origin = b.Serve(t, s.archive)
	o.Origin, o.Install = s.origin, packages
	s.Device = b.Device(t, o)
	env := provider.Env{Host: deviceHost{s.Device}, Log: slog.New(slog.DiscardHandler), Records: s.records, Now: time.Now}
	p, err := apt.Kind().Open(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	s.apt = p
	return s
}

// refresh lets the provider fetch the lists and gives its word on each source, by suite.
func (s scene) refresh(t *testing.T) map[string]patch.Source {
	t.Helper()
	sources, err := s.apt.(provider.Refresher).Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bySuite := map[string]patch.Source{}
	for _, src := range sources {
		bySuite[src.Name[strings.LastIndex(src.Name, " ")+1:]] = src
	}
	return bySuite
}

// publish offers versions and refreshes.
func (s scene) publish(t *testing.T, suite string, versions ...string) {
	t.Helper()
	s.archive.Publish(t, suite, versions...)
	for name, src := range s.refresh(t) {
		if src.Error != "" {
			t.Fatalf("refreshing %s: %s", name, src.Error)
		}
	}
}

// offered gives what is on offer, by name.
func (s scene) offered(t *testing.T) map[string]patch.Update {
	t.Helper()
	offer, err := s.apt.Available(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]patch.Update{}
	for _, u := range offer.Updates {
		byName[u.Name] = u
	}
	return byName
}

// apply installs what is on offer for the names.
func (s scene) apply(t *testing.T, removals []string, names ...string) (provider.Outcome, error) {
	t.Helper()
	on := s.offered(t)
	r := provider.Request{AllowRemovals: removals, LockWait: time.Second}
	for _, n := range names {
		u, ok := on[n]
		if !ok {
			t.Fatalf("no update of %s is on offer", n)
		}
		r.Updates = append(r.Updates, u)
	}
	return s.apt.Apply(t.Context(), r)
}

// is compares a package, as the oracle sees it, with what is claimed.
func (s scene) is(t *testing.T, name, want string) {
	t.Helper()
	p, err := s.Oracle().Package(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.String(); got != want {
		t.Errorf("%s is %q, want %q", name, got, want)
	}
}

// wantError checks the kind of an error and that its sentence names what matters.
func wantError(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("there is no error")
	}
	for _, k := range []error{provider.ErrBusy, provider.ErrOffline, provider.ErrRefused, provider.ErrAbsent} {
		if errors.Is(err, k) != (k == kind) {
			t.Errorf("is it %q: %v; the error is: %v", k, errors.Is(err, k), err)
		}
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("nothing about %q in: %v", w, err)
		}
	}
}

func TestExactlyTheApprovedVersion(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-app", "bed-grow", "bed-reboot")
	s.publish(t, bed.Security, "1.1")
	on := s.offered(t)
	u := on["bed-app"]
	if u.Available != "1.1" || !u.Is(patch.Security) || u.Suite != bed.Security || u.Size == 0 || len(u.SHA256) != 64 {
		t.Errorf("the update is %+v", u)
	}
	wanted := provider.Request{Updates: []patch.Update{on["bed-lib"], on["bed-app"], on["bed-grow"], on["bed-reboot"]}}
	s.publish(t, bed.Stable, "1.2") // the newest is another one by now
	if s.offered(t)["bed-app"].Available != "1.2" {
		t.Error("1.2 is not on offer")
	}
	out, err := s.apt.Apply(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"bed-app": "1.1 installed", "bed-lib": "1.1 installed", "bed-grow": "1.1 installed", "bed-new": "1.1 installed"} {
		s.is(t, name, want)
	}
	asked := map[string]bool{}
	for _, c := range out.Changes {
		asked[c.Name+" "+c.From+" "+c.To] = c.Asked
	}
	if !asked["bed-app 1.0 1.1"] || asked["bed-new  1.1"] || len(out.Changes) != 5 {
		t.Errorf("the changes are %+v", out.Changes)
	}
	if out.Reboot != patch.Yes {
		t.Errorf("a reboot is asked for, the outcome says %q", out.Reboot)
	}
	again, err := s.apt.Apply(t.Context(), wanted)
	if err != nil || len(again.Changes) != 0 {
		t.Errorf("applying twice: %+v, %v", again, err)
	}
}

func TestStageFetchesAndChangesNothing(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-app")
	s.publish(t, bed.Stable, "1.1")
	on := s.offered(t)
	r := provider.Request{Updates: []patch.Update{on["bed-app"], on["bed-lib"]}}
	if err := s.apt.(provider.Stager).Stage(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-app", "1.0 installed")
	s.origin.Stop()
	if _, err := s.apt.Apply(t.Context(), r); err != nil {
		t.Errorf("installing what was staged, without the archive: %v", err)
	}
	s.is(t, "bed-app", "1.1 installed")
}

func TestHeldIsSaidAndKept(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib", "bed-tools")
	s.Must(t, "apt-mark", "hold", "bed-lib")
	s.publish(t, bed.Stable, "1.1")
	u := s.offered(t)["bed-lib"]
	if u.Block != patch.Held || u.Available != "1.1" || u.BlockWhy == "" {
		t.Errorf("the held update is %+v", u)
	}
	_, err := s.apply(t, nil, "bed-lib")
	wantError(t, err, provider.ErrRefused, "bed-lib", "held")
	s.is(t, "bed-lib", "1.0 installed")
}

func TestPinnedAndKeptBackAreSaid(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib", "bed-broken", "bed-conf")
	if err := s.PutFile("/etc/apt/preferences.d/stay", "Package: bed-lib\nPin: version 1.0\nPin-Priority: 900\n", 0o644); err != nil {
		t.Fatal(err)
	}
	s.publish(t, bed.Stable, "1.1")
	on := s.offered(t)
	if u := on["bed-lib"]; u.Block != patch.Pinned || u.Available != "1.1" || !strings.Contains(u.BlockWhy, "preferences.d/stay") {
		t.Errorf("the pinned update is %+v", u)
	}
	if u := on["bed-broken"]; u.Block != patch.KeptBack || u.Available != "1.1" {
		t.Errorf("the update that is kept back is %+v", u)
	}
	if u := on["bed-conf"]; u.Block != patch.NotBlocked {
		t.Errorf("the plain update is %+v", u)
	}
}

func TestHeldLockIsWaitedForAndItsHolderNamed(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.publish(t, bed.Stable, "1.1")
	const lock = `my $l = pack("s s x4 l! l! i x4", F_WRLCK, 0, 0, 0, 0); open(L, ">>", "/var/lib/dpkg/lock-frontend") or die; ` +
		`fcntl(L, F_SETLK, $l) or die; open(D, ">", "/run/locked"); close(D); sleep 600`
	p := s.Spawn(t, "perl", "-MFcntl", "-e", lock)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.WaitFile(ctx, "/run/locked"); err != nil {
		t.Fatal(err, p.Output())
	}
	_, err := s.apply(t, nil, "bed-lib")
	wantError(t, err, provider.ErrBusy, "perl", "process")
	s.is(t, "bed-lib", "1.0 installed")
	p.Kill()
	if _, err := s.apply(t, nil, "bed-lib"); err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-lib", "1.1 installed")
}

func TestFailingScriptIsInDpkgsWords(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-badpost", "bed-lib")
	s.publish(t, bed.Stable, "1.1")
	out, err := s.apply(t, nil, "bed-badpost")
	wantError(t, err, nil, "bed-badpost")
	s.is(t, "bed-badpost", "1.1 half-configured")
	if !strings.Contains(strings.Join(out.Messages, "\n"), "deliberate failure") {
		t.Errorf("the script's words are not in the messages: %q", out.Messages)
	}
	items, err := s.apt.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(items, func(i patch.Item) bool { return i.Name == "bed-badpost" })
	if i < 0 || items[i].Broken != "half-configured" {
		t.Error("the scan does not say that it is half-configured")
	}
	s.publish(t, bed.Stable, "1.2")
	if _, err := s.apply(t, nil, "bed-badpost"); err != nil {
		t.Errorf("the repair: %v", err)
	}
	s.is(t, "bed-badpost", "1.2 installed")
}

func TestLocalConfigurationStays(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-conf")
	if err := s.PutFile("/etc/bed-conf.conf", "setting=ours\n", 0o644); err != nil {
		t.Fatal(err)
	}
	s.publish(t, bed.Stable, "1.1")
	out, err := s.apply(t, nil, "bed-conf")
	if err != nil {
		t.Fatal(err)
	}
	want := []provider.Conflict{{Path: "/etc/bed-conf.conf", Vendor: "/etc/bed-conf.conf.dpkg-dist"}}
	if !slices.Equal(out.Conflicts, want) {
		t.Errorf("the conflicts are %+v, want %+v", out.Conflicts, want)
	}
	if text, _, _ := s.Oracle().File("/etc/bed-conf.conf"); text != "setting=ours\n" {
		t.Errorf("the file is now %q", text)
	}
}

func TestRemovalNeedsItsOwnApproval(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-evict", "bed-victim")
	s.publish(t, bed.Stable, "1.1")
	_, err := s.apply(t, nil, "bed-evict")
	wantError(t, err, provider.ErrRefused, "bed-victim")
	s.is(t, "bed-victim", "1.0 installed")
	out, err := s.apply(t, []string{"bed-victim"}, "bed-evict")
	if err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-victim", "absent")
	if len(out.Changes) != 2 || out.Changes[1].To != "" {
		t.Errorf("the changes are %+v", out.Changes)
	}
}

func TestFullDiskIsSeenBefore(t *testing.T) {
	s := setScene(t, bed.Options{Disk: bed.BlobSize}, "bed-big")
	s.publish(t, bed.Stable, "1.1")
	_, err := s.apply(t, nil, "bed-big")
	wantError(t, err, provider.ErrRefused, "not enough space", "MB")
	s.is(t, "bed-big", "1.0 installed")
}

func TestFullDiskOnTheWay(t *testing.T) {
	s := setScene(t, bed.Options{Disk: bed.BlobSize}, "bed-swollen") // it claims to be small
	s.publish(t, bed.Stable, "1.1")
	_, err := s.apply(t, nil, "bed-swollen")
	wantError(t, err, provider.ErrRefused, "space")
	s.is(t, "bed-swollen", "1.0 installed")
}

func TestUnreachableArchiveIsOffline(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.publish(t, bed.Stable, "1.1")
	s.origin.Stop()
	_, err := s.apply(t, nil, "bed-lib")
	wantError(t, err, provider.ErrOffline)
	s.is(t, "bed-lib", "1.0 installed")
	for name, src := range s.refresh(t) {
		if src.Error == "" || src.RefreshedAt == nil {
			t.Errorf("%s: %+v; it was refreshed once and cannot be reached now", name, src)
		}
	}
}

func TestHashMismatchIsRefused(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.archive.Publish(t, bed.Stable, "1.1")
	s.archive.Break(t, bed.Stable, bed.HashMismatch)
	s.refresh(t)
	_, err := s.apply(t, nil, "bed-lib")
	wantError(t, err, provider.ErrRefused)
	s.is(t, "bed-lib", "1.0 installed")
}

// TestBadlySignedSourceIsNotRefreshed is the trap: apt-get update ends with 0 and goes on
// with the old lists.
func TestBadlySignedSourceIsNotRefreshed(t *testing.T) {
	for _, fault := range []bed.Fault{bed.WrongKey, bed.Unsigned, bed.Expired, bed.Tampered} {
		t.Run(string(fault), func(t *testing.T) {
			s := setScene(t, bed.Options{}, "bed-lib")
			before := s.refresh(t)
			s.archive.Publish(t, bed.Stable, "1.1")
			s.archive.Break(t, bed.Stable, fault)
			after := s.refresh(t)
			if src := after[bed.Stable]; src.Error == "" || !src.RefreshedAt.Equal(*before[bed.Stable].RefreshedAt) {
				t.Errorf("the bad source is %+v", src)
			}
			if src := after[bed.Security]; src.Error != "" || !src.RefreshedAt.After(*before[bed.Security].RefreshedAt) {
				t.Errorf("the sound source is %+v", src)
			}
			s.archive.Break(t, bed.Stable, bed.Sound)
			if src := s.refresh(t)[bed.Stable]; src.Error != "" {
				t.Errorf("mended, and still: %s", src.Error)
			}
		})
	}
}

func TestNoListsIsNotNothingMissing(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	if err := s.ForgetLists(t.Context()); err != nil {
		t.Fatal(err)
	}
	offer, err := s.apt.Available(t.Context())
	wantError(t, err, nil, "never been fetched")
	if len(offer.Sources) != 2 {
		t.Errorf("the sources are %+v", offer.Sources)
	}
	items, err := s.apt.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if i.Orphan {
			t.Fatalf("%s is called an orphan though nobody knows", i.Name)
		}
	}
}

func TestDamagedListIsNotNothingMissing(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.publish(t, bed.Stable, "1.1")
	list := "/var/lib/apt/lists/" + strings.NewReplacer("http://", "", "/", "_").Replace(s.origin.URL()+"/dists/stable/main/binary-amd64/Packages")
	text, err := s.ReadFile(list)
	if err != nil {
		t.Skip("this architecture's list has another name: ", err)
	}
	damaged := map[string]string{
		"cut short": string(text[:strings.LastIndex(string(text[:len(text)/2]), "\n\n")+2]),
		"altered":   strings.Replace(string(text), "Version: 1.1", "Version: 1.0", 1),
		"empty":     "",
	}
	for name, bad := range damaged {
		if err := s.PutFile(list, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.apt.Available(t.Context()); err == nil {
			t.Errorf("a list that is %s is taken for the whole", name)
		}
		s.refresh(t) // apt itself would say that it has it, for the source's index is the same
		if on := s.offered(t); on["bed-lib"].Available != "1.1" {
			t.Errorf("a list that was %s is still not fetched anew", name)
		}
	}
	s.Must(t, "rm", list)
	_, err = s.apt.Available(t.Context())
	wantError(t, err, nil, "missing")
}

func TestInterruptedDpkgIsFinishedFirst(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-slow", "bed-lib")
	s.publish(t, bed.Stable, "1.1")
	p := s.Spawn(t, "apt-get", "-y", "install", "bed-slow")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.WaitFile(ctx, bed.SlowStarted); err != nil {
		t.Fatal(err, p.Output())
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.PutFile(bed.SlowRelease, "", 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.apply(t, nil, "bed-lib"); err != nil {
		t.Fatal(err)
	}
	s.is(t, "bed-slow", "1.1 installed")
	s.is(t, "bed-lib", "1.1 installed")
}
