package facts

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"patchbay/wire"
)

// process adds one that maps a deleted file and was started so many seconds after the boot.
func process(files fstest.MapFS, pid int, unit, deleted string, after int) {
	dir := fmt.Sprintf("proc/%d/", pid)
	files[dir+"ns/mnt"] = link("mnt:[1]")
	files[dir+"maps"] = text("55-56 r-xp 0 fe:01 42 " + deleted + " (deleted)\n57-58 r--p 0 fe:01 42 " + deleted + " (deleted)\n")
	files[dir+"cgroup"] = text("0::/system.slice/" + unit + "\n")
	files[dir+"comm"] = text("x\n")
	files[dir+"stat"] = text(fmt.Sprintf("%d (x) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 %d 99 100\n", pid, after*100))
}

func list(when time.Duration, lines ...string) *fstest.MapFile {
	f := text("/.\n" + strings.Join(lines, "\n") + "\n")
	f.ModTime = time.Unix(1790000000, 0).Add(when) // after the boot
	return f
}

// bare is a machine on which nothing old runs.
func bare() fstest.MapFS {
	files := machine()
	for name := range files {
		if strings.HasPrefix(name, "proc/1") && name != "proc/1/stat" {
			delete(files, name)
		}
	}
	return files
}

func TestReplacedFilesNameTheirPackages(t *testing.T) {
	lists := fstest.MapFS{
		"libssl3:amd64.list":     list(0, "/usr", "/usr/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu/libssl.so.3"),
		"libssl3:i386.list":      list(0, "/usr", "/usr/lib/i386-linux-gnu/libssl.so.3"),
		"libc6:amd64.list":       list(0, "/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu/libc.so.6"),
		"libglib2.0-0.list":      list(0, "/usr/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu/libglib-2.0.so.0", "/usr/lib/x86_64-linux-gnu/libglib-2.0.so.0.7400.7"),
		"postgresql-15.list":     list(0, "/usr/lib/postgresql/15/lib", "/usr/lib/postgresql/15/lib/b-2.so"),
		"other-1.list":           list(0, "/usr/lib/x86_64-linux-gnu"),
		"dash.list":              list(0, "/bin/dash"),
		"bash.list":              list(0, "/usr/bin/sh"),
		"Not A Package.list":     list(0, "/usr/bin/evil"),
		"libssl3:amd64.md5sums":  list(0, "/usr/bin/evil"),
		"../../etc/x.list":       list(0, "/usr/bin/evil"),
		"pkg\x1b[31m.list":       list(0, "/usr/bin/evil"),
		"local-admin.list":       list(0, "/usr/share/x"),
		"removed-with-conf.list": list(0),
	}
	for file, want := range map[string]string{
		"/usr/lib/x86_64-linux-gnu/libssl.so.3":              "libssl3",
		"/usr/lib/x86_64-linux-gnu/libssl.so.3.dpkg-tmp":     "libssl3",
		"/usr/lib/x86_64-linux-gnu/libc.so.6":                "libc6",
		"/usr/lib/x86_64-linux-gnu/libglib-2.0.so.0.7400.6":  "libglib2.0-0",
		"/usr/lib/postgresql/15/lib/b-1.so":                  "postgresql-15",
		"/usr/lib/x86_64-linux-gnu/libgone.so.5":             "",
		"/usr/bin/dash":                                      "dash",
		"/usr/bin/sh.distrib":                                "bash", // diverted by dash
		"/usr/bin/evil":                                      "",
		"/usr/local/bin/own":                                 "",
		"/usr/lib/x86_64-linux-gnu/libssl.so.3/../../escape": "",
	} {
		files := bare()
		for name, f := range lists {
			files["var/lib/dpkg/info/"+name] = f
		}
		files["var/lib/dpkg/diversions"] = text("/bin/sh\n/bin/sh.distrib\ndash\ncut\n")
		process(files, 100, "a.service", file, 10)
		process(files, 101, "a.service", file, 20)
		r := collect(t, files, "").Restart
		if len(r.Old) != 1 || r.Old[0].Service != "a.service" || r.Old[0].Processes != 2 || strings.Join(r.Old[0].Packages, " ") != want {
			t.Errorf("%s: %+v, want %q", file, r.Old, want)
		}
		if known := want != "" || strings.HasPrefix(file, "/usr/local/"); known != (len(r.Unknown) == 0) {
			t.Errorf("%s: unknown is %q", file, r.Unknown)
		}
	}
}

// A package is in doubt when it was unpacked after something began that cannot be looked
// into. What began later cannot have its old files.
func TestDoubtIsAboutWhatWasUnpackedSince(t *testing.T) {
	files := bare()
	files["var/lib/dpkg/info/old.list"] = list(time.Hour)
	files["var/lib/dpkg/info/new:amd64.list"] = list(3 * time.Hour)
	process(files, 100, "a.service", "/usr/lib/who/knows-1.so", 2*60*60)
	r := collect(t, files, "").Restart
	if !reflect.DeepEqual(r.Doubt, []string{"new"}) || r.Doubts("old") || !r.Doubts("x", "new") || len(r.Using("old", "new")) != 0 {
		t.Errorf("of no package: %+v", r)
	}
	hidden := collect(t, files, "").Restart
	p := readProcesses(t.Context(), forbidden{files})
	if got := doubt(files, p, owners{}); !reflect.DeepEqual(got, []string{"new"}) {
		t.Errorf("not readable: %q, %+v", got, hidden)
	}
	process(files, 100, "a.service", "/usr/lib/who/knows-1.so", 4*60*60)
	if r := collect(t, files, "").Restart; r.Doubt == nil || len(r.Doubt) != 0 || r.Doubts("new") || len(r.Unknown) != 1 {
		t.Errorf("began after everything: %+v", r)
	}
	files["proc/100/stat"] = text("cut")
	if r := collect(t, files, "").Restart; r.Doubt != nil || !r.Doubts("anything") {
		t.Errorf("when it began is not known: %+v", r)
	}
}

// However many there are, what is told stays small, and what is left out is said.
func TestMoreThanIsToldIsUnknown(t *testing.T) {
	files := bare()
	for i := range maxUses + 50 {
		process(files, 1000+i, fmt.Sprintf("s%d.service", i), "/usr/bin/x", 10)
	}
	r := collect(t, files, "").Restart
	if len(r.Old) != maxUses || len(r.Unknown) == 0 || len(r.Unknown) > maxUnknown+5 || !r.Doubts("anything") {
		t.Errorf("%d services, unknown %q", len(r.Old), r.Unknown)
	}
}

func FuzzOwners(f *testing.F) {
	f.Add("/usr/lib/libx.so.1.2", "/.\n/usr/lib\n/usr/lib/libx.so.1\n", "/a\n/b\nc\n")
	f.Fuzz(func(t *testing.T, file, list, diversions string) {
		files := fstest.MapFS{"var/lib/dpkg/info/x.list": text(list), "var/lib/dpkg/diversions": text(diversions)}
		o := findOwners(files, map[string]bool{file: true})
		if p := o.of(file); len(p) > 1 || len(p) == 1 && p[0] != "x" {
			t.Fatalf("%q", p)
		}
		_ = wire.Restart{Old: []wire.OldUse{{Packages: o.all(map[string]bool{file: true})}}}
	})
}
