package winupdate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// repairOf is what the source tells of its repair after it was asked.
func repairOf(t *testing.T, w *Windows) *patch.Repair {
	t.Helper()
	sources, err := w.Refresh(t.Context())
	if err != nil || len(sources) != 1 {
		t.Fatalf("%v, %+v", err, sources)
	}
	return sources[0].Repair
}

// TestWhoseTurnItIs is the law: what a number calls for decides, and nothing is told of an
// engine that always worked.
func TestWhoseTurnItIs(t *testing.T) {
	for hresult, want := range map[uint32]patch.Turn{
		0x8024402C: patch.TurnRetry,    // the name is not found
		0x80240009: patch.TurnRetry,    // busy: the search is not even recorded, so nothing was told before
		0x80070422: patch.TurnPatchbay, // services
		0x8024D001: patch.TurnPerson,   // nobody here knows it
		0x8024002F: patch.TurnPerson,   // a policy
		0x80070070: patch.TurnPerson,   // the disk is full
	} {
		w, _, d, _ := stuck(t)
		if r := repairOf(t, w); r != nil {
			t.Fatalf("of an engine that works it tells %+v", r)
		}
		d.fails["online"] = &provider.EngineError{What: "search", HResult: hresult}
		sources, err := w.Refresh(t.Context())
		if errors.Is(err, provider.ErrBusy) {
			continue
		}
		r := sources[0].Repair
		if err != nil || r == nil || r.Turn != want || !r.Search || r.Why != meaning(hresult).why || r.Code == "" || (r.Act != "") != (want == patch.TurnPatchbay) {
			t.Errorf("0x%08X: %v, %+v", hresult, err, r)
		}
	}
}

func TestRepairsAreToldUntilAPersonMustLook(t *testing.T) {
	w, m, d, now := stuck(t)
	d.fails["online"] = &provider.EngineError{What: "search", HResult: 0x80070422}
	for _, service := range []string{"cryptsvc", "bits", "wuauserv"} {
		m.Answer(provider.Result{Code: 1058, Stdout: "FAILED 1058\n" + strings.Repeat("x", 5000)}, "sc.exe", "start", service)
	}
	first := *now
	for try := range maxRepairs {
		r := repairOf(t, w)
		if r.Turn != patch.TurnPatchbay || r.Tries != try || r.Most != maxRepairs || !r.Since.Equal(first) || (r.After != nil) != (try > 0) {
			t.Fatalf("before try %d: %+v", try+1, r)
		}
		if try > 0 && !r.After.Equal(r.Done[0].At.Add(repairPause)) {
			t.Errorf("it says not before %s", r.After)
		}
		*now = now.Add(25 * time.Hour)
		if _, err := w.Repair(t.Context(), 0); err == nil {
			t.Fatal("it worked")
		}
	}
	r := repairOf(t, w)
	if r.Turn != patch.TurnPerson || r.Tries != maxRepairs || r.After != nil || len(r.Done) != maxRepairs || r.Next == "" {
		t.Errorf("after the last one: %+v", r)
	}
	for i, a := range r.Done {
		if a.Result != patch.RepairFailed || a.Try != maxRepairs-i || a.Act != actStart.words() || len(a.Said) == 0 || len(a.Said) > maxSaid || a.Code != "0x80070422" {
			t.Errorf("act %d: %+v", i, a)
		}
	}
	delete(d.fails, "online") // somebody switches them on again
	if r := repairOf(t, w); r == nil || r.Turn != patch.TurnNobody || r.Why != "" || len(r.Done) != maxRepairs {
		t.Errorf("when it works again: %+v", r)
	}
}

// TestACutOffRepairIsSeen: it is written down before its act.
func TestACutOffRepairIsSeen(t *testing.T) {
	w, m, _, _ := stuck(t)
	_, _ = w.Apply(t.Context(), approved(plain(1)))
	m.err = errors.New("the machine goes down")
	func() {
		defer func() { _ = recover() }()
		w.env.Log = nil // the process ends here: what follows the first word is never done
		_, _ = w.Repair(t.Context(), 0)
	}()
	if d := w.record().told(today).Done; len(d) != 1 || d[0].Result != patch.RepairCut {
		t.Errorf("it is told as %+v", d)
	}
}

func TestMendedIsTriedAgainByItsJob(t *testing.T) {
	w, _, _, _ := stuck(t)
	_, _ = w.Apply(t.Context(), approved(plain(1)))
	if r := w.record().told(today); r.Turn != patch.TurnPatchbay || r.Search || r.Act != actStore.words() {
		t.Errorf("before: %+v", r)
	}
	if _, err := w.Repair(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if r := w.record().told(today); r.Turn != patch.TurnRetry || r.Act != "" || r.Done[0].Result != patch.RepairWorked {
		t.Errorf("after: %+v", r)
	}
}

func TestHistoryIsToldInOurWords(t *testing.T) {
	w, _, d, _ := stuck(t)
	at := today.Add(-time.Hour)
	d.history = []provider.EngineEvent{
		{ID: plain(1).ID, Title: plain(1).Title, At: at, Result: provider.EngineFailed, HResult: 0x800F0922, ByClient: "UpdateOrchestrator"},
		{ID: plain(2).ID, Title: plain(2).Title, At: at, Result: provider.EngineSucceeded, Removal: true},
		{ID: plain(3).ID, Title: "Treiber\u202eexe", At: at, Result: provider.EngineSucceeded, HResult: 0x80070643},
		{ID: plain(4).ID, At: today.AddDate(1, 0, 0), Result: 77},
		{Title: "nothing names it", Result: provider.EngineInProgress},
	}
	got, err := w.History(t.Context())
	if err != nil || len(got) != len(d.history) {
		t.Fatalf("%v, %+v", err, got)
	}
	if e := got[0]; e.Name != itemName(plain(1)) || e.Instance != id(1) || e.Version != "200" || e.Result != patch.EventFailed || e.Code != "0x800F0922" || e.Why != meaning(0x800F0922).why || e.By != "UpdateOrchestrator" || !e.At.Equal(at) {
		t.Errorf("a failure is %+v", e)
	}
	if e := got[1]; !e.Removal || e.Result != patch.EventSucceeded || e.Code != "" || e.Why != "" {
		t.Errorf("a removal is %+v", e)
	}
	if e := got[2]; e.Result != patch.EventPartly || e.Code != "0x80070643" || e.Title != "Treiberexe" {
		t.Errorf("a success with the number of a failure is %+v", e)
	}
	if e := got[3]; e.Result != patch.EventUnknown || e.At != nil || e.Name == "" {
		t.Errorf("what cannot be is %+v", e)
	}
	if e := got[4]; e.Instance != "" || e.Version != "" || e.Name != "nothing names it" || e.Result != patch.EventInProgress {
		t.Errorf("what names nothing is %+v", e)
	}
	d.fails["history"] = &provider.EngineError{What: "history", HResult: 0x80248007}
	if got, err := w.History(t.Context()); err == nil || got != nil || !strings.Contains(err.Error(), "0x80248007") {
		t.Errorf("%v, %+v", err, got)
	}
}

// TestAHistoryStaysSmall: whatever the engine tells, it is at most so many events and bytes.
func TestAHistoryStaysSmall(t *testing.T) {
	w, _, d, _ := stuck(t)
	for n := range 1000 {
		u := plain(n)
		d.history = append(d.history, provider.EngineEvent{ID: u.ID, Title: strings.Repeat("ü", 4000), At: today, Result: provider.EngineFailed, HResult: uint32(0x80070643), ByClient: strings.Repeat("c", 4000)})
	}
	got, err := w.History(t.Context())
	if err != nil || len(got) != patch.MaxHistory {
		t.Fatalf("%v, %d events", err, len(got))
	}
	body, err := wire.Canonical(got)
	if most := patch.MaxHistory * 1024; err != nil || len(body) > most {
		t.Errorf("%v: it is %d bytes", err, len(body))
	}
}
