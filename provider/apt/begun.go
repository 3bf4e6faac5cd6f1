package apt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// begunFile is what an installation may change, in Env.Records: written before it
// begins, emptied when all of it is complete again.
const begunFile = "apt-begun.json"

// triggersDir is where dpkg keeps which package wants to hear of what: each line ends with
// the package's name.
const triggersDir = "var/lib/dpkg/triggers"

// begun is the work that was approved and begun. What of it is incomplete is Patchbay's to
// finish; what else is incomplete on the device is somebody else's.
type begun struct {
	Packages []begunPackage `json:"packages"`
	// Others have nothing new to install, and a trigger of the installation may run in them.
	// They are complete, in the version To, when it begins.
	Others []begunPackage `json:"others,omitempty"`
	Undo   []string       `json:"undo,omitempty"`  // what apt was told, when it is to take versions back
	Tries  int            `json:"tries,omitempty"` // of finishing it
	Tried  time.Time      `json:"tried,omitzero"`  // the last of them
	Said   string         `json:"said,omitempty"`  // why the last one failed
}

// begunPackage is one package of it and the only version that it may become.
type begunPackage struct {
	Name         string `json:"name"`
	Architecture string `json:"architecture,omitempty"` // "" for the machine's own, or all
	To           string `json:"to"`
	Asked        bool   `json:"asked,omitempty"` // approved itself; otherwise what that needs
}

// is reports whether the package goes by that name and architecture.
func (p begunPackage) is(name, arch string, in installed) bool {
	plain := func(a string) bool { return a == "" || a == "all" || a == in.native }
	return p.Name == name && (p.Architecture == arch || plain(p.Architecture) && plain(arch))
}

// left are our packages that are not complete, and those in which a trigger was cut short.
// One that was unpacked since has another version: somebody else is at work there.
func (b begun) left(in installed) []patch.Item {
	var left []patch.Item
	for _, item := range in.sorted() {
		if item.Broken == "" {
			continue
		}
		same := func(p begunPackage) bool { return p.is(item.Name, item.Architecture, in) }
		unchanged := func(p begunPackage) bool { return same(p) && p.To == item.Version }
		if slices.ContainsFunc(b.Packages, same) || !mustUnpack(item) && slices.ContainsFunc(b.Others, unchanged) {
			left = append(left, item)
		}
	}
	return left
}

// asked are our packages that were approved themselves.
func (b begun) asked() []patch.Update {
	var asked []patch.Update
	for _, p := range b.Packages {
		if p.Asked {
			asked = append(asked, patch.Update{Name: p.Name, Architecture: p.Architecture, Available: p.To})
		}
	}
	return asked
}

// mustUnpack reports whether only unpacking it again makes the package complete.
func mustUnpack(i patch.Item) bool {
	return strings.HasPrefix(i.Broken, "half-installed") || strings.Contains(i.Broken, "reinstreq")
}

// waits reports whether the package is on the disk and waits for another one.
func waits(i patch.Item) bool { return i.Broken == "unpacked" || triggered(i) }

// triggered reports whether nothing but triggers is missing.
func triggered(i patch.Item) bool { return strings.HasPrefix(i.Broken, "triggers-") }

// begin writes down what is about to change. What was begun before and is still incomplete
// stays in it.
func (a *Apt) begin(r provider.Request, p plan, w work) error {
	in, err := readInstalled(a.env.Host.Files())
	if err != nil {
		return err
	}
	b := beginning(r, p, in, interested(a.env.Host.Files()), a.known())
	if !w.keeps {
		b.Undo = w.args
	}
	return a.writeBegun(b)
}

// beginning is what an installation by the plan may change.
func beginning(r provider.Request, p plan, in installed, interested map[string]bool, old begun) begun {
	var b begun
	for _, u := range r.Updates {
		if u.Architecture == "all" {
			u.Architecture = ""
		}
		b.add(begunPackage{u.Name, u.Architecture, u.Available, true}, in)
	}
	for _, s := range slices.Concat(p.upgrades, p.downgrades, p.added) {
		b.add(begunPackage{s.name, s.arch, s.to, false}, in)
	}
	left := old.left(in)
	among := func(packages []begunPackage, i patch.Item) bool {
		return slices.ContainsFunc(packages, func(q begunPackage) bool { return q.is(i.Name, i.Architecture, in) })
	}
	for _, q := range old.Packages {
		if slices.ContainsFunc(left, func(i patch.Item) bool { return q.is(i.Name, i.Architecture, in) }) {
			b.add(q, in)
		}
	}
	for _, i := range in.sorted() {
		cut := among(old.Others, i) && slices.Contains(left, i)
		if interested[i.Name] && (i.Broken == "" || cut) && !among(b.Packages, i) {
			b.Others = append(b.Others, begunPackage{i.Name, i.Architecture, i.Version, false})
		}
	}
	return b
}

// interested are the names of the packages in which triggers run.
func interested(files fs.FS) map[string]bool {
	names := map[string]bool{}
	entries, _ := fs.ReadDir(files, triggersDir) // none: dpkg has no triggers here
	for _, e := range entries {
		text, err := fs.ReadFile(files, triggersDir+"/"+e.Name())
		if err != nil {
			continue // what runs there is then told as somebody else's
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 0 {
				name, _, _ := strings.Cut(f[len(f)-1], "/")
				name, _, _ = strings.Cut(name, ":")
				names[name] = true
			}
		}
	}
	return names
}

// add puts a package in unless it is there.
func (b *begun) add(p begunPackage, in installed) {
	if !slices.ContainsFunc(b.Packages, func(q begunPackage) bool { return q.is(p.Name, p.Architecture, in) }) {
		b.Packages = append(b.Packages, p)
	}
}

// settle forgets what was begun when all of it is complete, and otherwise keeps it.
func (a *Apt) settle(b begun) (installed, error) {
	a.forgetLook()
	in, err := readInstalled(a.env.Host.Files())
	if err != nil || len(b.Packages) == 0 {
		return in, err
	}
	if len(b.left(in)) == 0 && !a.unmerged() {
		b = begun{}
	}
	return in, a.writeBegun(b)
}

// settleApply is settle after an installation: what it left is still to be tried.
func (a *Apt) settleApply() (installed, error) {
	return a.settle(a.known())
}

// known is what was begun; nothing when that cannot be read: what is installed still can.
func (a *Apt) known() begun {
	b, err := a.readBegun()
	if err != nil {
		a.env.Log.Warn("what was begun is not known", "error", err)
	}
	return b
}

// unmerged reports whether dpkg was stopped before it took its journal into its record: then
// apt does nothing at all on this device.
func (a *Apt) unmerged() bool {
	entries, _ := fs.ReadDir(a.env.Host.Files(), journalDir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		_, err := strconv.ParseUint(e.Name(), 10, 32)
		return err == nil
	})
}

func (a *Apt) readBegun() (begun, error) {
	var b begun
	if a.env.Records == nil {
		return b, nil
	}
	text, err := a.env.Records.Read(begunFile)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if err != nil {
		return begun{}, fmt.Errorf("reading what was begun: %w", err)
	}
	return b, nil
}

// writeBegun returns when it is on the disk.
func (a *Apt) writeBegun(b begun) error {
	if a.env.Records == nil {
		return nil
	}
	text, err := json.MarshalIndent(b, "", "\t")
	if err == nil {
		err = a.env.Records.Write(begunFile, text)
	}
	if err != nil {
		return fmt.Errorf("writing down what is begun: %w", err)
	}
	return nil
}

// begunNotes tells a person what could not be finished.
func (a *Apt) begunNotes(in installed) []string {
	b, err := a.readBegun()
	if err != nil {
		return []string{"What was begun here and not finished is not known: " + err.Error() + "."}
	}
	if b.Said == "" {
		return nil
	}
	var notes []string
	for _, item := range b.left(in) {
		notes = append(notes, fmt.Sprintf("%s %s is %s, and finishing it failed %d times: %s. Approving it once more tries it again.",
			item.Name, item.Version, item.Broken, b.Tries, b.Said))
	}
	return notes
}
