package winupdate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/provider"
	"patchbay/test/bed"
)

// TestStatesOnWine has the agent's scan read the table's machines on a Windows, with the
// stand-in for the engine behind COM and the real registry, and compares what it tells of each
// with what is true of it.
func TestStatesOnWine(t *testing.T) {
	t.Parallel()
	list := machineStates()
	program := bed.GoTest(t, "patchbay/provider/winupdate")
	w := bed.NewWindows(t, bed.WindowsOptions{})
	bed.Updates{}.Put(t, w)
	if err := w.CopyFile(program, `C:\bed\states.exe`); err != nil {
		t.Fatal(err)
	}
	for n, c := range list {
		u := bed.Updates{PastSearch: today}
		if c.told != toldNothing {
			u.List = []bed.Update{asOffered(c)}
		}
		u.Keep(t, w, fmt.Sprintf(`C:\states\%d`, n), asDone(c.history))
	}
	r, err := w.Run(t.Context(), `C:\bed\states.exe`, "-test.v", "-test.run", "^TestStatesOfThisWindows$")
	if err != nil || r.Code != 0 || !strings.Contains(r.Stdout, "--- PASS: TestStatesOfThisWindows") {
		t.Errorf("status %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	read := regexp.MustCompile(`(?m)^STATE `).FindAllString(r.Stdout, -1)
	fmt.Printf("FIGURE states_of_a_Windows_read_on_wine %d - in_the_table %d - >=40\n", len(read), len(list))
	if len(read) != len(list) {
		t.Errorf("%d of %d states went through wine\n%s", len(read), len(list), r.Stdout)
	}
}

// asOffered is a state's update as the stand-in has it.
func asOffered(c machineState) bed.Update {
	u := bed.Update{ID: c.u.ID.Update, Revision: c.u.ID.Revision, Title: c.u.Title, KBs: c.u.KBs, Severity: c.u.Severity, Changed: c.u.Changed,
		Removable: c.u.Removable, Reboot: int(c.u.Reboot), Installed: c.told == toldInstalled, Supersedes: c.u.Supersedes}
	for _, k := range c.u.Categories {
		u.Categories = append(u.Categories, bed.Category{ID: k.ID, Type: k.Type, Name: "a class"})
	}
	if d := c.u.Driver; d != nil {
		u.Driver = &bed.Driver{Class: d.Class, HardwareID: d.HardwareID, Date: d.Date}
	}
	return u
}

// asDone is a history, the oldest first, as the stand-in keeps it.
func asDone(events []provider.EngineEvent) []bed.EngineDone {
	var all []bed.EngineDone
	for _, e := range slices.Backward(events) {
		all = append(all, bed.EngineDone{ID: e.ID.Update, Revision: max(1, e.ID.Revision), Removal: e.Removal, Result: int(e.Result), At: today.Add(-time.Hour)})
	}
	return all
}
