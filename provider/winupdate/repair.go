package winupdate

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// maxRepairs is how often one trouble is mended; after that a person has to look. Between two
// repairs of whatever kind lies a day: an engine that was just repaired shows only later
// whether that helped.
const (
	maxRepairs  = 3
	repairPause = 24 * time.Hour
)

// trouble is a failure about which Patchbay does something by itself.
type trouble struct {
	Search  bool      `json:"search,omitempty"` // the engine cannot search; else it is about updates
	Updates []applied `json:"updates,omitempty"`
	Number  uint32    `json:"number"`
	Act     act       `json:"act"`
	At      time.Time `json:"at"`
	Tries   int       `json:"tries,omitempty"`
	Mended  bool      `json:"mended,omitempty"` // it was done and the engine searches again; whether it helped, the next try shows
}

// fail writes down the first failure that something is done about. How often that was done
// already stays, as long as it is the same.
func (r *record) fail(now time.Time, t trouble, err error) {
	for _, n := range numbers(err) {
		if t.Number, t.Act = n, meaning(n).mend; t.Act.done() {
			break
		}
	}
	if !t.Act.done() {
		return
	}
	if was := r.Trouble; was != nil && was.Act == t.Act {
		t.Tries = was.Tries
	}
	t.At = now.UTC()
	r.Trouble = &t
}

// over forgets the trouble with updates that are installed by now.
func (r *record) over(list []applied) {
	if r.Trouble == nil || r.Trouble.Search {
		return
	}
	r.Trouble.Updates = slices.DeleteFunc(r.Trouble.Updates, func(a applied) bool {
		return slices.ContainsFunc(list, func(b applied) bool { return a.ID == b.ID })
	})
	if len(r.Trouble.Updates) == 0 {
		r.Trouble = nil
	}
}

// Unfinished names what could not be done and what something can be done about: the updates
// whose installation failed, or Windows itself when its engine cannot search. It is empty
// until a day has passed since the last repair, and after the last one.
func (w *Windows) Unfinished(context.Context) ([]patch.Item, error) {
	rec := w.record()
	t := rec.Trouble
	if t == nil || t.Mended || !t.Act.done() || t.Tries >= maxRepairs {
		return nil, nil
	}
	if since := w.env.Now().Sub(rec.Repaired); since >= 0 && since < repairPause {
		return nil, nil
	}
	broken := fmt.Sprintf("not installed: 0x%08X", t.Number)
	if t.Search {
		return []patch.Item{{Provider: Name, Name: windowsName, Origin: origin, Broken: fmt.Sprintf("unable to search for updates: 0x%08X", t.Number)}}, nil
	}
	var left []patch.Item
	for _, a := range t.Updates {
		left = append(left, a.item(broken))
	}
	return left, nil
}

// Repair does the one act that the failure calls for, and then lets the engine ask its server:
// only an engine that searches again counts as mended. It installs nothing; what was approved
// is tried again by its own job.
func (w *Windows) Repair(ctx context.Context, _ time.Duration) (provider.Outcome, error) {
	out := outcome{Outcome: provider.Outcome{Reboot: patch.No}}
	left, err := w.Unfinished(ctx)
	if err != nil || len(left) == 0 {
		return out.Outcome, err
	}
	if busy := w.with(ctx, func(e provider.Engine) error { return ready(ctx, e) }); errors.Is(busy, provider.ErrBusy) {
		return out.Outcome, busy
	}
	rec := w.record()
	rec.Repaired, rec.Trouble.Tries = w.env.Now().UTC(), rec.Trouble.Tries+1
	rec.begin()
	if err := w.env.WriteRecord(recordFile, rec); err != nil { // first: a repair that takes the machine down is not tried for ever
		return out.Outcome, err
	}
	what := rec.Trouble.Act.words()
	w.env.Log.Warn("Windows Update is repaired", "act", rec.Trouble.Act, "number", fmt.Sprintf("0x%08X", rec.Trouble.Number), "try", rec.Trouble.Tries)
	err = w.act(ctx, rec.Trouble.Act, &out)
	err = errors.Join(err, w.with(ctx, func(e provider.Engine) error {
		_, err := search(ctx, e, provider.EngineOffered, true)
		return err
	}))
	if err != nil {
		tail := "it is tried again tomorrow"
		if rec.Trouble.Tries >= maxRepairs {
			tail = "that was the last try: a person has to look"
		}
		rec.end(err)
		err = fmt.Errorf("%s did not mend Windows Update; %s: %w", what, tail, err)
		if rec.Trouble.Search {
			rec.Error = provider.Clip(rec.tried(rec.Error), provider.MaxWords)
		}
		return out.Outcome, errors.Join(err, w.env.WriteRecord(recordFile, rec))
	}
	rec.end(nil)
	out.say("Windows Update was mended by " + what + ", and searches again.")
	rec.RefreshedAt, rec.Error, rec.Failed, rec.Trouble.Mended = w.env.Now().UTC(), "", nil, true
	if rec.Trouble.Search {
		rec.Trouble = nil
	}
	return out.Outcome, w.env.WriteRecord(recordFile, rec)
}

// tried is why the engine cannot search with what was done about that so far: whoever reads it
// has to know whether anything is still to come.
func (r record) tried(why string) string {
	t := r.Trouble
	if t == nil || !t.Search || t.Tries == 0 {
		return why
	}
	why, _, _ = strings.Cut(why, triedMark)
	times, next := "once", "it is tried again tomorrow"
	if t.Tries > 1 {
		times = fmt.Sprintf("%d times", t.Tries)
	}
	if t.Tries >= maxRepairs {
		next = "a person has to look"
	}
	return fmt.Sprintf("%s%s%s to mend that by %s: %s.", strings.TrimSuffix(why, "."), triedMark, times, t.Act.words(), next)
}

const triedMark = ". Patchbay tried "

// windowsFolder is a folder that can be Windows' own.
var windowsFolder = regexp.MustCompile(`^[A-Za-z]:\\[A-Za-z0-9_.-]{1,60}$`)

// act runs the programs of an act. Those that bring services back run also after one failed.
func (w *Windows) act(ctx context.Context, a act, out *outcome) error {
	v, err := keyOf(w.host, provider.WindowsKey)
	if err != nil {
		return err
	}
	steps, err := a.steps(v.Value("SystemRoot").Text)
	if err != nil {
		return err
	}
	var failed error
	for _, s := range steps {
		if failed != nil && !s.always {
			continue
		}
		res, err := w.env.Host.Run(ctx, provider.Command{Args: s.args})
		said := strings.TrimSpace(res.Stdout + "\n" + res.Stderr)
		switch {
		case err != nil:
			err = fmt.Errorf("running %s: %w", s.args[0], err)
		case res.Code == 3010:
			out.Reboot = patch.Yes
		case res.Code != 0 && !s.fine(res.Code, said):
			err = fmt.Errorf("%s ended with %d: %s", strings.Join(s.args[:min(3, len(s.args))], " "), res.Code, res.Words(""))
		}
		if err == nil {
			out.say(strings.Join(s.args, " "))
		}
		failed = errors.Join(failed, err)
	}
	return failed
}
