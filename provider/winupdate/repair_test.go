package winupdate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/provider"
)

const dism = "dism.exe /online /cleanup-image /restorehealth /norestart"

// stuck is a machine whose component store is damaged: nothing can be installed before that
// is repaired. The clock is its own.
func stuck(t testing.TB) (*Windows, *machine, *double, *time.Time) {
	t.Helper()
	w, m, d := offering(t, plain(1))
	now := today
	w.env.Now = func() time.Time { return now }
	d.works = func(what string, i provider.EngineID) provider.EngineResult {
		if what == "install" {
			return provider.EngineResult{ID: i, Result: provider.EngineFailed, HResult: 0x80073712}
		}
		return provider.EngineResult{ID: i, Result: provider.EngineSucceeded}
	}
	m.Answer(provider.Result{Stdout: "The restore operation completed successfully.\n"}, strings.Fields(dism)...)
	return w, m, d, &now
}

func TestStuckAndMended(t *testing.T) {
	w, m, d, now := stuck(t)
	if left, err := w.Unfinished(t.Context()); err != nil || len(left) != 0 {
		t.Fatalf("before anything failed: %v, %+v", err, left)
	}
	if _, err := w.Apply(t.Context(), approved(plain(1))); err == nil || !strings.Contains(err.Error(), "Repair the component store") {
		t.Fatal(err)
	}
	left, err := w.Unfinished(t.Context())
	if err != nil || len(left) != 1 || left[0].Key() != offer(plain(1), today).Key() || left[0].Broken != "not installed: 0x80073712" || left[0].Version != "" {
		t.Fatalf("%v, %+v", err, left)
	}
	if len(m.Ran()) != 0 {
		t.Errorf("looking ran %q", m.Ran())
	}
	out, err := w.Repair(t.Context(), 0)
	if err != nil || len(m.Ran()) != 1 || m.Ran()[0] != dism || d.asked[len(d.asked)-1] != "search IsInstalled=0 and IsHidden=0 online=true" {
		t.Fatalf("%v, ran %q, asked %q", err, m.Ran(), d.asked)
	}
	if n := len(out.Messages); n != 2 || !strings.Contains(out.Messages[n-1], "mended by repairing the component store") {
		t.Errorf("%q", out.Messages)
	}
	*now = now.AddDate(0, 0, 2)
	if left, err := w.Unfinished(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("mended, and still: %v, %+v", err, left)
	}
	d.works = func(_ string, i provider.EngineID) provider.EngineResult {
		m.change(t, stored(packageOf(1), cbsInstalled))
		return provider.EngineResult{ID: i, Result: provider.EngineSucceeded}
	}
	if _, err := w.Apply(t.Context(), approved(plain(1))); err != nil || w.record().Trouble != nil {
		t.Errorf("%v, %+v", err, w.record().Trouble)
	}
}

// TestStuckForGood is the law: a repair runs at most once a day, and after the third for one
// trouble a person has to look.
func TestStuckForGood(t *testing.T) {
	w, m, _, now := stuck(t)
	for day := range 10 {
		for hour := range 24 {
			*now = today.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
			if _, err := w.Apply(t.Context(), approved(plain(1))); err == nil {
				t.Fatal("it is installed")
			}
			if _, err := w.Repair(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			if ran, most := len(m.Ran()), min(day+1, maxRepairs); ran > most {
				t.Fatalf("on day %d it was repaired %d times", day, ran)
			}
		}
	}
	if len(m.Ran()) != maxRepairs {
		t.Errorf("it was repaired %d times", len(m.Ran()))
	}
	left, err := w.Unfinished(t.Context())
	if err != nil || len(left) != 0 {
		t.Errorf("%v, %+v", err, left)
	}
}

// TestAtMostOnceADay is the law whatever fails, also where each failure calls for another act.
func TestAtMostOnceADay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, m, d, now := stuck(t)
		for _, line := range []string{"sc.exe start cryptsvc", "sc.exe start bits", "sc.exe start wuauserv"} {
			m.Answer(provider.Result{}, strings.Fields(line)...)
		}
		var last time.Time
		for range 20 {
			*now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(rt, "hours")) * time.Hour)
			number := rapid.SampledFrom([]uint32{0x80073712, 0x80070422, 0x80240017, 0x80070070}).Draw(rt, "number")
			d.works = func(_ string, i provider.EngineID) provider.EngineResult {
				return provider.EngineResult{ID: i, Result: provider.EngineFailed, HResult: number}
			}
			before := len(m.Ran())
			_, _ = w.Apply(t.Context(), approved(plain(1)))
			_, _ = w.Repair(t.Context(), 0)
			if len(m.Ran()) == before {
				continue
			}
			if !last.IsZero() && now.Sub(last) < 24*time.Hour {
				rt.Fatalf("repaired at %s and again at %s", last, *now)
			}
			last = *now
		}
	})
}

func TestRepairThatDoesNotHelpSaysSo(t *testing.T) {
	w, m, d, now := stuck(t)
	d.fails["online"] = &provider.EngineError{What: "search", HResult: 0x80070422}
	if sources, err := w.Refresh(t.Context()); err != nil || !strings.Contains(sources[0].Error, "switched off") {
		t.Fatalf("%v, %+v", err, sources)
	}
	left, err := w.Unfinished(t.Context())
	if err != nil || len(left) != 1 || left[0].Name != "Windows" || !strings.Contains(left[0].Broken, "0x80070422") {
		t.Fatalf("%v, %+v", err, left)
	}
	m.Answer(provider.Result{Code: 1056}, "sc.exe", "start", "cryptsvc")
	m.Answer(provider.Result{}, "sc.exe", "start", "bits")
	m.Answer(provider.Result{Code: 1058, Stdout: "[SC] StartService FAILED 1058:\n"}, "sc.exe", "start", "wuauserv")
	for try := 1; try <= maxRepairs; try++ {
		_, err = w.Repair(t.Context(), 0)
		last := strings.Contains(err.Error(), "a person has to look")
		if !strings.Contains(err.Error(), "1058") || !strings.Contains(err.Error(), "0x80070422") || last != (try == maxRepairs) {
			t.Errorf("try %d: %v", try, err)
		}
		*now = now.Add(25 * time.Hour)
	}
	// Who reads the source's error knows what was tried, and that nothing more comes.
	if sources, err := w.Refresh(t.Context()); err != nil || !strings.Contains(sources[0].Error, "Patchbay tried 3 times to mend that by starting the services") ||
		!strings.HasSuffix(sources[0].Error, ": a person has to look.") || strings.Count(sources[0].Error, "tried") != 1 {
		t.Errorf("%v, %+v", err, sources)
	}
	// Somebody switches it on again.
	delete(d.fails, "online")
	if sources, err := w.Refresh(t.Context()); err != nil || sources[0].Error != "" || w.record().Trouble != nil {
		t.Errorf("%v, %+v, %+v", err, sources, w.record().Trouble)
	}
}

// TestTheCacheIsMovedAside: services come back also when that fails.
func TestTheCacheIsMovedAside(t *testing.T) {
	for _, exit := range []int{1, 16} {
		w, m, d, _ := stuck(t)
		d.works = func(_ string, i provider.EngineID) provider.EngineResult {
			return provider.EngineResult{ID: i, Result: provider.EngineFailed, HResult: 0x80246002}
		}
		steps, err := actCache.steps(`C:\Windows`)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			m.Answer(provider.Result{}, s.args...)
		}
		m.Answer(provider.Result{Code: 2, Stderr: "More help is available by typing NET HELPMSG 3521.\n"}, "net.exe", "stop", "bits", "/y")
		m.Answer(provider.Result{Code: exit}, steps[2].args...)
		_, _ = w.Apply(t.Context(), approved(plain(1)))
		_, err = w.Repair(t.Context(), 0)
		ran := m.Ran()
		if (exit == 1) != (err == nil) || len(ran) != len(steps) || ran[len(ran)-1] != "sc.exe start wuauserv" {
			t.Errorf("exit %d: %v, ran %q", exit, err, ran)
		}
	}
}

func TestFullDisksAndRefusalsAreOnlyTold(t *testing.T) {
	for _, number := range []uint32{0x80070070, 0x80240017, 0x80240123, 0x80070652} {
		w, m, d, _ := stuck(t)
		d.works = func(what string, i provider.EngineID) provider.EngineResult {
			return provider.EngineResult{ID: i, Result: provider.EngineFailed, HResult: number}
		}
		if _, err := w.Apply(t.Context(), approved(plain(1))); err == nil {
			t.Fatal("no error")
		}
		if left, err := w.Unfinished(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("0x%08X: %v, %+v", number, err, left)
		}
		if _, err := w.Repair(t.Context(), 0); err != nil || len(m.Ran()) != 0 {
			t.Errorf("0x%08X: %v, ran %q", number, err, m.Ran())
		}
	}
}

func TestNothingIsRepairedUnderSomebodyElsesInstallation(t *testing.T) {
	w, m, d, _ := stuck(t)
	_, _ = w.Apply(t.Context(), approved(plain(1)))
	d.state.Busy = true
	if _, err := w.Repair(t.Context(), 0); !errors.Is(err, provider.ErrBusy) || len(m.Ran()) != 0 {
		t.Errorf("%v, ran %q", err, m.Ran())
	}
	d.state.Busy = false
	if _, err := w.Repair(t.Context(), 0); err != nil || len(m.Ran()) != 1 {
		t.Errorf("%v, ran %q", err, m.Ran())
	}
}
