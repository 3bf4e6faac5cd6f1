package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/wire"
)

func TestWhatIsAddedIsThereAndNothingElse(t *testing.T) {
	w := newWorld(t)
	for _, size := range []int{1, chunk - 1, chunk, chunk + 1, 3*chunk + 7} {
		data := noise(uint64(size), size)
		w.add(data, "C:\\down\\set\u202eup.exe\n")
		if !w.holds(data) {
			t.Errorf("a file of %d bytes is not there", size)
		}
		e, err := w.shelf.Show(t.Context(), hashOf(data))
		if ok(t, err); e.Name != "setup.exe" || e.AddedBy != ann.ID || e.Needed() != "" {
			t.Errorf("%+v", e)
		}
	}
	w.lawful()
	if w.left() != 0 {
		t.Error("unfinished files are left")
	}
}

// Whatever goes wrong with what is sent, nothing of it is kept.
func TestWhatIsNotTheFileIsNotKept(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 2*chunk+100)
	file := fileOf(data, "a")
	try := func(what string, f File, body io.Reader, kind error) {
		t.Helper()
		err := w.shelf.Add(t.Context(), ann, f, body)
		if w.refused(kind, err); w.holds(data) || w.left() != 0 {
			t.Errorf("%s: something was kept", what)
		}
	}
	for _, at := range []int{0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, len(data) - 1} {
		try("cut", file, bytes.NewReader(data[:at]), ErrWrong)
		try("broken off", file, io.MultiReader(bytes.NewReader(data[:at]), iotest.ErrReader(errors.New("gone"))), ErrWrong)
		flipped := bytes.Clone(data)
		flipped[at] ^= 1
		try("flipped", file, bytes.NewReader(flipped), ErrWrong)
	}
	try("longer", file, io.MultiReader(bytes.NewReader(data), strings.NewReader("x")), ErrWrong)
	for _, hash := range []string{"", "x", strings.ToUpper(file.SHA256), file.SHA256[:63], "../" + file.SHA256[3:], file.SHA256 + "\n", strings.Repeat("0", 63) + "/"} {
		try("named "+hash, File{SHA256: hash, Size: file.Size}, bytes.NewReader(data), ErrWrong)
	}
	try("empty", File{SHA256: hashOf(nil)}, strings.NewReader(""), ErrWrong)
	try("too large", File{SHA256: file.SHA256, Size: largest + 1}, bytes.NewReader(data), ErrTooLarge)
	try("beyond the budget", File{SHA256: file.SHA256, Size: w.options.Budget + 1}, bytes.NewReader(data), ErrFull)
	w.shelf.Free = func() (int64, error) { return keepFree, nil }
	try("on a full disk", file, bytes.NewReader(data), ErrFull)
	rows, err := w.options.Store.MSP(ann).Audit(t.Context(), store.AuditFilter{})
	if ok(t, err); len(rows) != 0 {
		t.Errorf("what was refused left acts: %+v", rows)
	}
}

func TestTwoWhoSendOneFileAtOnceKeepItOnce(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 5*chunk)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			if err := w.shelf.Add(t.Context(), ann, fileOf(data, "a"), iotest.HalfReader(bytes.NewReader(data))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if w.lawful(); !w.holds(data) || w.left() != 0 {
		t.Error("it is not there, or more than it")
	}
	rows, err := w.options.Store.MSP(ann).Audit(t.Context(), store.AuditFilter{Act: "content.add"})
	if ok(t, err); len(rows) != 1 {
		t.Errorf("%d acts of adding one file", len(rows))
	}
}

func TestMoreThanSomeAtOnceAreSentAway(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 10)
	release, begun := make(chan struct{}), make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			body := io.MultiReader(readerFunc(func([]byte) (int, error) {
				begun <- struct{}{}
				<-release
				return 0, io.EOF
			}), bytes.NewReader(data))
			if err := w.shelf.Add(t.Context(), ann, fileOf(data, "a"), body); err != nil {
				t.Error(err)
			}
		})
	}
	for range atOnce {
		<-begun
	}
	w.refused(ErrBusy, w.shelf.Add(t.Context(), ann, fileOf(data, "a"), bytes.NewReader(data)))
	close(release)
	all.Wait()
	w.lawful()
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// A damaged file is mended by whoever brings it again.
func TestAFileThatIsBroughtAgainMendsTheOneThatIsThere(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 1000)
	w.add(data, "a")
	ok(t, os.WriteFile(w.shelf.path(hashOf(data)), make([]byte, 1000), 0o600))
	w.add(data, "a")
	if !w.holds(data) {
		t.Error("it is not there")
	}
	ok(t, os.Remove(w.shelf.path(hashOf(data)))) // as after a restore, which has the rows and not the files
	if e, err := w.shelf.Show(t.Context(), hashOf(data)); err != nil || e.Here {
		t.Errorf("a row without its file says %+v, %v", e, err)
	}
	w.add(data, "a")
	w.lawful()
}

func TestNoFileGoesThatSomethingNeeds(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 1000)
	w.options.Named = NewIndex([]patch.Package{{Name: "Tool", Releases: []patch.Release{
		{Version: "2", Installers: []patch.Installer{{SHA256: strings.ToUpper(hashOf(data))}}},
		{Version: "1", Recalled: "It was stolen.", Installers: []patch.Installer{{SHA256: hashOf([]byte("x"))}}}}}}).Named
	w.begin()
	w.add(data, "a")
	w.add([]byte("x"), "x")
	err := w.shelf.Remove(t.Context(), ann, hashOf(data))
	if w.refused(ErrNeeded, err); !strings.Contains(err.Error(), "Tool 2") || !w.holds(data) {
		t.Errorf("%v", err)
	}
	ok(t, w.shelf.Remove(t.Context(), ann, hashOf([]byte("x"))))
	if err := w.shelf.Remove(t.Context(), ann, hashOf([]byte("x"))); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := w.shelf.Remove(t.Context(), ann, "../"+hashOf(data)[3:]); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	w.lawful()
}

func TestSentencesSayWhatNeedsAFile(t *testing.T) {
	for want, e := range map[string]Entry{
		"": {}, "as 7-Zip 24": {Named: "7-Zip 24"}, "A job": {ContentPins: store.ContentPins{Jobs: 1}}, "3 jobs": {ContentPins: store.ContentPins{Jobs: 3}},
		"A device": {ContentPins: store.ContentPins{Rollbacks: 1}}, "2 devices": {ContentPins: store.ContentPins{Rollbacks: 2}},
	} {
		if got := e.Needed(); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q for %q", got, want)
		}
	}
}

// Whatever there is: what goes may go, it suffices, none of it could have stayed, and it was
// used less recently than all that stays and might have gone.
func TestWhatGoesIsWhatWasUsedLeastRecently(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfDistinct(rapid.Custom(func(t *rapid.T) candidate {
			return candidate{sha256: rapid.StringMatching(`[0-9a-f]{4}`).Draw(t, "hash"), size: rapid.Int64Range(1, 100).Draw(t, "size"),
				used: time.Unix(rapid.Int64Range(0, 5).Draw(t, "used"), 0), stays: rapid.Bool().Draw(t, "stays")}
		}), func(c candidate) string { return c.sha256 }).Draw(t, "all")
		gain := rapid.Int64Range(-10, 500).Draw(t, "gain")
		gone, fits := chosen(all, gain)
		entries := make([]Entry, len(all))
		for i, c := range all {
			entries[i].SHA256 = c.sha256
		}
		takeTurns(entries, all)
		var sum, most int64
		for _, c := range all {
			if !c.stays {
				most += c.size
			}
		}
		for i, c := range gone {
			if sum += c.size; c.stays {
				t.Errorf("what stays went: %+v", c)
			}
			if at := slices.IndexFunc(entries, func(e Entry) bool { return e.Turn == i+1 }); at < 0 || entries[at].SHA256 != c.sha256 {
				t.Errorf("%s goes as number %d, and the turns told are %+v", c.sha256, i+1, entries)
			}
			if i > 0 && c.used.Before(gone[i-1].used) {
				t.Errorf("out of order: %+v", gone)
			}
		}
		switch {
		case fits != (gain <= most || gain <= 0):
			t.Errorf("%d are to be gained, %d might be: %v", gain, most, fits)
		case !fits && len(gone) > 0:
			t.Errorf("it does not suffice, and goes: %+v", gone)
		case fits && sum < gain:
			t.Errorf("%d were gained of %d", sum, gain)
		case len(gone) > 0 && sum-gone[len(gone)-1].size >= gain:
			t.Errorf("more went than had to: %+v", gone)
		}
	})
}

// Play with a small shelf: files come, are used and needed, time passes. Nothing needed ever
// goes, and the budget holds.
func TestNothingNeededEverGoesToMakeRoom(t *testing.T) {
	count := 0
	rapid.Check(t, func(r *rapid.T) {
		if count++; count > 25 { // each has a database of its own
			return
		}
		w := newWorld(t)
		needed := map[string]bool{}
		w.options.Budget = 1000
		w.options.Named = func(hash string) string { return map[bool]string{true: "Tool"}[needed[hash]] }
		w.begin()
		var added [][]byte
		for step := range rapid.IntRange(5, 25).Draw(r, "steps") {
			switch rapid.IntRange(0, 4).Draw(r, "what") {
			case 0:
				w.pass(time.Duration(rapid.IntRange(1, 40).Draw(r, "hours")) * time.Hour)
			case 1:
				if len(added) > 0 {
					w.shelf.Used(hashOf(added[rapid.IntRange(0, len(added)-1).Draw(r, "used")]))
				}
			case 2:
				if len(added) > 0 {
					hash := hashOf(added[rapid.IntRange(0, len(added)-1).Draw(r, "needed")])
					needed[hash] = !needed[hash]
				}
			default:
				data := noise(uint64(step), rapid.IntRange(1, 600).Draw(r, "size"))
				before := map[string]bool{}
				for _, d := range added {
					before[hashOf(d)] = needed[hashOf(d)] && w.holds(d)
				}
				err := w.shelf.Add(context.Background(), ann, fileOf(data, "a"), bytes.NewReader(data))
				if err != nil && !errors.Is(err, ErrFull) {
					t.Fatal(err)
				}
				if added = append(added, data); (err == nil) != w.holds(data) {
					t.Errorf("adding says %v", err)
				}
				for _, d := range added {
					if before[hashOf(d)] && !w.holds(d) {
						t.Errorf("%.8s was needed and went", hashOf(d))
					}
				}
			}
			w.lawful()
		}
	})
}

// With a job that is not over, it is the database that says so.
func TestAnOpenJobKeepsItsFileWhenRoomIsNeeded(t *testing.T) {
	w := newWorld(t)
	w.options.Budget = 1000
	w.begin()
	ctx, s := t.Context(), w.options.Store
	ok(t, s.MSP(ann).CreateCustomer(ctx, w.now, store.CustomerRow{ID: "cus_a", Name: "A", CreatedAt: w.now}))
	c := s.Customer(ann, "cus_a")
	ok(t, c.CreateSite(ctx, w.now, store.Site{ID: "site_a", Name: "S", Zone: "UTC", CreatedAt: w.now, ChangedAt: w.now}))
	ok(t, c.CreateToken(ctx, w.now, store.Token{ID: "tok_a", Site: "site_a", Mode: wire.Manage, MaxUses: 1, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}, "hash"))
	ok(t, c.Enroll(ctx, w.now, "hash", store.Agent{ID: "agt_a", PublicKey: []byte("k"), Mode: wire.Manage}, store.Device{ID: "dev_a"}))
	old, other := noise(1, 400), noise(2, 400)
	w.add(old, "old")
	w.pass(time.Hour)
	w.add(other, "other")
	job := store.Job{Job: wire.Job{ID: "job_a", Verb: wire.VerbInstall, Target: wire.Target{Provider: "p", Name: "n", To: "2", SHA256: hashOf(old)}}}
	_, err := c.SaveJobs(ctx, w.now, []store.Wish{{Device: "dev_a", Wanted: []store.Job{job}}})
	ok(t, err)
	w.refused(ErrNeeded, w.shelf.Remove(ctx, ann, hashOf(old)))
	data := noise(3, 400)
	w.refused(ErrFull, w.shelf.Add(ctx, ann, fileOf(data, "new"), bytes.NewReader(data))) // both are young
	w.pass(48 * time.Hour)
	w.add(data, "new")
	if !w.holds(old) || w.holds(other) || !w.holds(data) {
		t.Error("what a job needs went before what was used later and nothing needs")
	}
	rows, err := s.MSP(ann).Audit(ctx, store.AuditFilter{Act: "content.evict"})
	if ok(t, err); len(rows) != 1 || rows[0].Object != hashOf(other) || rows[0].Actor != "system" {
		t.Errorf("%+v", rows)
	}
}

func TestUsesAreToldToTheStore(t *testing.T) {
	w := newWorld(t)
	w.add([]byte("a"), "a")
	w.pass(time.Hour)
	w.shelf.Used(hashOf([]byte("a")))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	w.shelf.Run(ctx)
	c, err := w.options.Store.MSP(ann).Content(t.Context(), hashOf([]byte("a")))
	if ok(t, err); c.UsedAt == nil || c.UsedAt.UnixMilli() != w.time().UnixMilli() {
		t.Errorf("%+v", c)
	}
}

// Files of the folder that no row names go when a server starts, and nothing else does.
func TestStartingSweepsWhatNobodyGoesOnWith(t *testing.T) {
	w := newWorld(t)
	w.add([]byte("a"), "a")
	dir := w.options.Path
	write := func(name string, age time.Duration) {
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
		at := w.time().Add(-age)
		ok(t, os.Chtimes(filepath.Join(dir, name), at, at))
	}
	mine, other := named("one"), named("two")
	orphan, fresh := hashOf([]byte("orphan")), hashOf([]byte("fresh"))
	write(orphan, 2*time.Hour)
	write(fresh, time.Minute)
	write("notes.txt", 1000*time.Hour)
	write(unfinished+"/"+mine+"-sent-x", 0)
	write(unfinished+"/"+other+"-sent-x", 0)
	write(unfinished+"/"+mine+"-fetch-"+orphan, time.Hour)
	write(unfinished+"/"+mine+"-fetch-"+fresh, 8*24*time.Hour)
	w.begin()
	for name, there := range map[string]bool{hashOf([]byte("a")): true, orphan: false, fresh: true, "notes.txt": true,
		unfinished + "/" + mine + "-sent-x": false, unfinished + "/" + other + "-sent-x": true,
		unfinished + "/" + mine + "-fetch-" + orphan: true, unfinished + "/" + mine + "-fetch-" + fresh: false} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != there {
			t.Errorf("%s is there: %v", name, err == nil)
		}
	}
}

var errEnded = errors.New("the server ended")

// ends is a life that is cut off at one effect.
type ends struct {
	at, how int
	n       atomic.Int64
	dead    atomic.Bool
}

func (e *ends) around(_ string, do func() error) error {
	if e.dead.Load() {
		return errEnded
	}
	if int(e.n.Add(1)) != e.at {
		return do()
	}
	switch e.how {
	case 0: // it is not there, and the server ends
		e.dead.Store(true)
	case 1: // it is there, and the server ends
		if err := do(); err != nil {
			return err
		}
		e.dead.Store(true)
	case 2: // it failed
	case 3: // it is there, and the server is told that it failed
		if err := do(); err != nil {
			return err
		}
	}
	return errEnded
}

// A server that ends at any effect of adding and removing leaves no file that is not what it
// is named by, and the same done again ends as if nothing had happened.
func TestAServerThatEndsAtAnyEffectLosesNothing(t *testing.T) {
	points := 0
	for how := range 4 {
		for at := 1; ; at++ {
			w := newWorld(t)
			kept, gone, data := noise(1, 100), noise(2, 100), noise(3, 2*chunk)
			w.add(kept, "kept")
			w.add(gone, "gone")
			e := &ends{at: at, how: how}
			w.options.Around, w.options.Store.Around = e.around, e.around
			w.begin()
			added := w.shelf.Add(t.Context(), ann, fileOf(data, "a"), bytes.NewReader(data))
			removed := w.shelf.Remove(t.Context(), ann, hashOf(gone))
			hit := int(e.n.Load()) >= at
			w.options.Around, w.options.Store.Around = nil, nil
			w.pass(2 * time.Hour)
			w.begin()
			w.lawful(hashOf(gone))
			switch story := fmt.Sprintf("effect %d, way %d", at, how); {
			case !w.holds(kept):
				t.Errorf("%s: a file that had nothing to do with it is gone", story)
			case added == nil && !w.holds(data):
				t.Errorf("%s: what was said to be kept is not", story)
			case removed == nil && w.holds(gone):
				t.Errorf("%s: what was said to be removed is there", story)
			}
			w.add(data, "a")
			if err := w.shelf.Remove(t.Context(), ann, hashOf(gone)); err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
			if w.lawful(); !w.holds(data) || w.holds(gone) || w.left() != 0 {
				t.Errorf("effect %d, way %d: done again, it did not end well", at, how)
			}
			if !hit {
				break
			}
			points++
		}
	}
	if points < 16 {
		t.Errorf("only %d moments were tried", points)
	}
}

func FuzzTidyName(f *testing.F) {
	for _, s := range []string{"a.msi", "/x/../..", "C:\\a\\b", "\u202egnp.exe", "\x00", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := TidyName(s)
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\n\x00") || len([]rune(name)) > longestName || TidyName(name) != name {
			t.Errorf("%q became %q", s, name)
		}
	})
}
