package winget

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"patchbay/patch/arp"
)

// Mapping says how many entries were recognised that old versions make on a device.
type Mapping struct {
	Entries                          int
	Right, Unknown, Ambiguous, Wrong int
	Versions, VersionsRight          int             // old versions, and those of which every entry was recognised
	By                               map[arp.How]int // of the right ones
	Mistakes                         []string        // every wrong one, as "entry: taken for"
	Missed                           []string        // every one that was not recognised
}

// Measure recognises what every version but the newest shows on a device, with the marks of
// the newest alone. known are further manifests that stand in the catalogue.
func Measure(manifests, known []Manifest) Mapping {
	m := Mapping{By: map[arp.How]int{}}
	ids, byID := grouped(manifests)
	var newest, old []Manifest
	for _, id := range ids {
		versions := distinct(byID[id])
		newest, old = append(newest, versions[0]), append(old, versions[1:]...)
	}
	for _, k := range known {
		if len(byID[strings.ToLower(k.ID)]) == 0 {
			newest = append(newest, k)
		}
	}
	built := Build(newest, 1)
	x := arp.NewIndex(built.Packages)
	for _, o := range old {
		all := true
		shown := Shown(o)
		for _, e := range shown {
			m.Entries++
			switch found := x.Find(e); {
			case found.Package == nil:
				if found.How == arp.Ambiguous {
					m.Ambiguous++
				} else {
					m.Unknown++
				}
				m.Missed = append(m.Missed, fmt.Sprintf("%s %s, %q by %q, key %q", o.ID, o.Version, e.Name, e.Publisher, e.Key))
				all = false
			case !strings.EqualFold(found.Package.ID, o.ID):
				m.Wrong++
				m.Mistakes = append(m.Mistakes, fmt.Sprintf("%s %s, %q by %q, key %q: taken for %s by its %s", o.ID, o.Version, e.Name, e.Publisher, e.Key, found.Package.ID, found.How))
				all = false
			default:
				m.Right++
				m.By[found.How]++
			}
		}
		if len(shown) > 0 {
			m.Versions++
			if all {
				m.VersionsRight++
			}
		}
	}
	return m
}

// Command reads manifests and says what became of them.
type Command struct {
	Files []string `arg:"" name:"file" type:"path" help:"Folder, archive or single file with manifests; repeat for more. The first is measured, the others are known beside it."`
	Most  int      `default:"20" help:"How many refusals and mistakes to print."`
}

// Run prints the figures.
func (c *Command) Run(out io.Writer) error {
	var read []Result
	for _, name := range c.Files {
		r, err := Open(name)
		if err != nil {
			return err
		}
		read = append(read, r)
		fmt.Fprintf(out, "%s: %d files; %d refused, %d no manifests; %d versions of %d packages\n", filepath.Base(name), r.Files, r.Refusals, r.Others, len(r.Manifests), packages(r.Manifests))
		for _, no := range r.Refused[:min(c.Most, len(r.Refused))] {
			fmt.Fprintln(out, "  refused:", no.Error())
		}
	}
	var known []Manifest
	for _, r := range read[1:] {
		known = append(known, r.Manifests...)
	}
	m := Measure(read[0].Manifests, known)
	fmt.Fprintf(out, "recognised with the newest versions alone: of %d entries of old versions %d right, %d unknown, %d ambiguous, %d wrong; of %d old versions %d in whole\n",
		m.Entries, m.Right, m.Unknown, m.Ambiguous, m.Wrong, m.Versions, m.VersionsRight)
	for _, how := range []arp.How{arp.ByProductCode, arp.ByUpgradeCode, arp.ByName} {
		fmt.Fprintf(out, "  by %s: %d\n", how, m.By[how])
	}
	for _, mistake := range m.Mistakes[:min(c.Most, len(m.Mistakes))] {
		fmt.Fprintln(out, "  wrong:", mistake)
	}
	for _, missed := range m.Missed[:min(c.Most, len(m.Missed))] {
		fmt.Fprintln(out, "  not recognised:", missed)
	}
	return nil
}

func packages(manifests []Manifest) int {
	ids := map[string]bool{}
	for _, m := range manifests {
		ids[strings.ToLower(m.ID)] = true
	}
	return len(ids)
}

// Open reads the manifests in a folder, an archive or a single file.
func Open(name string) (Result, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Result{}, fmt.Errorf("reading manifests: %w", err)
	}
	if info.IsDir() {
		return ReadFolder(os.DirFS(name))
	}
	f, err := os.Open(name)
	if err != nil {
		return Result{}, fmt.Errorf("reading manifests: %w", err)
	}
	defer f.Close()
	return ReadFile(name, f, info.Size())
}
