package apt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What is kept stays within its budget, the newest longest, and nothing goes that need not.
func TestWhatIsKeptStaysWithinItsBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of, total := map[id][]kept{}, int64(0)
		for i := range rapid.IntRange(0, 8).Draw(t, "kept") {
			k := kept{name: fmt.Sprintf("p%d", i), version: "1", arch: "all", end: keptFile,
				size: rapid.Int64Range(0, keptBudget/2).Draw(t, "size"), at: time.Unix(rapid.Int64Range(0, 5).Draw(t, "at"), 0)}
			of[id{k.name, k.arch}] = []kept{k}
			total += k.size
		}
		size := rapid.Int64Range(0, keptBudget).Draw(t, "more")
		gone, newest := map[string]bool{}, time.Time{}
		var last kept
		for _, k := range tooMuch(of, size) {
			gone[k.file()], last = true, k
			total -= k.size
			newest = k.at
		}
		if total+size > keptBudget {
			t.Fatalf("%d bytes are kept", total+size)
		}
		if len(gone) > 0 && total+last.size+size <= keptBudget {
			t.Fatalf("%s went for nothing", last.file())
		}
		for _, versions := range of {
			if k := versions[0]; !gone[k.file()] && k.at.Before(newest) {
				t.Fatalf("%s stays, and a newer one went", k.file())
			}
		}
	})
}

// FuzzKeptName: a name that is read is the name that would be written, and one that is
// written is read as what it was. So no file in the folder can pass for another version.
func FuzzKeptName(f *testing.F) {
	f.Add("bed-lib", "1.0", "amd64", true)
	f.Add("g++", "2:1.0-1+b0~deb12u1", "all", false)
	f.Add("a", "1_2", "x%3a", true)
	f.Fuzz(func(t *testing.T, name, version, arch string, file bool) {
		k := kept{name: name, version: version, arch: arch, end: keptNote}
		if file {
			k.end = keptFile
		}
		back, ok := parseKept(k.file())
		if isPackageName(name) && isVersion(version) && isArchitecture(arch) && (!ok || back != k) {
			t.Fatalf("%+v is read as %+v, %v", k, back, ok)
		}
		if back, ok := parseKept(name); ok && (back.file() != name && !strings.Contains(name, ":") || strings.Contains(back.path()[len(keptDir)+2:], "/")) {
			t.Fatalf("%q is read as %+v", name, back)
		}
	})
}

// FuzzPackAgain: whatever dpkg's record says, what is made of it is a control file and a list
// of paths, each from a line of the record.
func FuzzPackAgain(f *testing.F) {
	f.Add("Package: a\nStatus: install ok installed\nConffiles:\n /etc/a 0123\n /etc/b 4567 obsolete\nDescription: x\n more\n")
	f.Fuzz(func(t *testing.T, record string) {
		for line := range strings.Lines(controlOf(record)) {
			if strings.HasPrefix(line, "Status:") || strings.HasPrefix(line, "Conffiles:") || !strings.Contains(record, line) {
				t.Fatalf("the control file has the line %q", line)
			}
		}
		for line := range strings.Lines(conffilesOf(record)) {
			if strings.ContainsAny(strings.TrimSuffix(line, "\n"), " \t") || !strings.Contains(record, strings.TrimSpace(line)) {
				t.Fatalf("the list has the line %q", line)
			}
		}
	})
}
