package crash

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"

	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/wire"
)

// faults counts the two worst kinds over all worlds.
type faults struct {
	lost    atomic.Int64 // acknowledgements
	doubled atomic.Int64 // commands
}

// remembers holds a server to what the lives before it said to machines and people.
func (w *world) remembers() {
	w.t.Helper()
	ctx, msp := w.t.Context(), w.server.Store.MSP(who)
	rows, err := msp.Outcomes(ctx, store.OutcomeFilter{})
	w.must(err)
	jobs, err := msp.Jobs(ctx, store.JobFilter{})
	w.must(err)
	for _, m := range w.machines {
		stored := map[int64]wire.Outcome{}
		for _, r := range rows {
			if r.Agent == m.id.Agent {
				stored[r.Seq] = r.Outcome
			}
		}
		for seq := int64(1); seq <= m.acked; seq++ {
			if o, said := m.told[seq]; said && text(stored[seq]) != text(o) {
				w.lost("outcome %d of %s was acknowledged as %s and is %s", seq, m.name, text(o), text(stored[seq]))
			}
		}
	}
	known := map[string]string{}
	for _, j := range jobs {
		known[j.ID] = j.Device
	}
	for id, device := range w.ordered {
		if known[id] != device {
			w.lost("job %s was handed to %s and is of %q", id, device, known[id])
		}
	}
	for _, p := range w.promises {
		if !p.held(w.server.Store) {
			w.lost("a person was told %s, and it is not so", p.what)
		}
	}
	w.honest()
}

// lost is an acknowledgement that was not kept.
func (w *world) lost(format string, args ...any) {
	w.t.Helper()
	w.faults.lost.Add(1)
	w.fault(format, args...)
}

// doubledCommand is something ordered or done twice.
func (w *world) doubledCommand(format string, args ...any) {
	w.t.Helper()
	w.faults.doubled.Add(1)
	w.fault(format, args...)
}

// text is an outcome without what two clocks make of one time.
func text(o wire.Outcome) string {
	o.At = o.At.UTC()
	b, _ := json.Marshal(o) // values of ours always encode
	return string(b)
}

// honest holds the server to it that nothing counts as verified that a machine did not show.
func (w *world) honest() {
	w.t.Helper()
	for _, m := range w.machines {
		e, ok := w.server.Engine.Index.Entry(m.id.Device)
		if !ok {
			continue
		}
		for _, n := range e.Needs {
			if n.Verdict.Name == verdict.VERIFIED && m.Has[n.Key.Name] != n.Update.Available {
				w.fault("%s %s is verified on %s, which has %s", n.Key.Name, n.Update.Available, m.name, m.Has[n.Key.Name])
			}
		}
	}
}

// ends holds the world to its laws once all is said and done.
func (w *world) ends() {
	w.t.Helper()
	ctx, msp := w.t.Context(), w.server.Store.MSP(who)
	w.remembers()
	chains, err := msp.VerifyChains(ctx)
	w.must(err)
	for _, c := range chains {
		if c.Broken != "" {
			w.fault("audit chain %s: %s", c.Chain, c.Broken)
		}
	}
	made, err := msp.Audit(ctx, store.AuditFilter{Act: "job.create"})
	w.must(err)
	created := map[string]int{}
	for _, a := range made {
		if created[a.Object]++; created[a.Object] > 1 {
			w.doubledCommand("job %s was made %d times", a.Object, created[a.Object])
		}
	}
	w.endsOnce(msp)
	for _, m := range w.machines {
		for what, n := range m.done {
			if n > 1 {
				w.doubledCommand("%s was installed %d times on %s", what, n, m.name)
			}
		}
		if m.Wish.Seen.Epoch > 1 && !w.restored {
			w.fault("%s has orders of epoch %d, though nothing was restored", m.name, m.Wish.Seen.Epoch)
		}
	}
}

// endsOnce holds jobs to one end each, the one that the machine told.
func (w *world) endsOnce(msp *store.MSP) {
	w.t.Helper()
	rows, err := msp.Outcomes(w.t.Context(), store.OutcomeFilter{})
	w.must(err)
	ends, numbers := map[string]int{}, map[string]bool{}
	for _, r := range rows {
		number := fmt.Sprint(r.Agent, " ", r.Seq)
		if numbers[number] {
			w.doubledCommand("outcome %s is stored twice", number)
		}
		numbers[number] = true
		if r.Step.Ended() {
			ends[r.Job]++
		}
	}
	jobs, err := msp.Jobs(w.t.Context(), store.JobFilter{})
	w.must(err)
	same := map[string]string{}
	for _, j := range jobs {
		what := fmt.Sprint(j.Device, j.Target, j.Decision, j.Attempt)
		if same[what] != "" {
			w.doubledCommand("jobs %s and %s are one wish", j.ID, same[what])
		}
		same[what] = j.ID
		for _, m := range w.machines {
			if done := m.jobs[j.ID]; done != nil && !m.gone && (!done.ended || ends[j.ID] != 1 || j.EndedAt == nil) {
				w.doubledCommand("job %s on %s ended %d times; the server has it at %q", j.ID, m.name, ends[j.ID], j.Step)
			}
		}
	}
}

// shown is what the server shows of all needs, by machine and item.
func (w *world) shown() map[string]string {
	all := map[string]string{}
	for _, m := range w.machines {
		if e, ok := w.server.Engine.Index.Entry(m.id.Device); ok {
			for _, n := range e.Needs {
				all[m.name+" "+n.Key.Name] = fmt.Sprint(n.Installed, " to ", n.Update.Available, " ", n.Verdict.Name)
			}
		}
	}
	return all
}

// projections are all that is derived, as text, but for when a machine was last heard: that is
// written down every second, and known before.
func (w *world) projections() map[string]string {
	all := map[string]string{}
	for _, m := range w.machines {
		if e, ok := w.server.Engine.Index.Entry(m.id.Device); ok {
			b, err := json.MarshalIndent(e, "", " ")
			w.must(err)
			all[m.name] = lastHeard.ReplaceAllString(string(b), "")
		}
	}
	return all
}

var lastHeard = regexp.MustCompile(`"LastSeen": ".*"|"the device was last heard",\s*"at": ".*"`)

// rebuilt holds a server that starts anew to what the one before it had derived.
func (w *world) rebuilt() {
	w.t.Helper()
	w.decides()
	if w.fate.hasEnded() { // just now
		w.again()
		w.decides()
	}
	was := w.projections()
	w.stop()
	w.begin()
	w.decides()
	is := w.projections()
	for name := range was {
		if is[name] != was[name] {
			w.fault("what is derived of %s is another when it is derived anew:\n%s", name, differs(was[name], is[name]))
		}
	}
}

// decides has the server decide anew for all devices, at the present time.
func (w *world) decides() {
	for _, m := range w.machines {
		w.server.Engine.Due(m.id.Device)
	}
	w.settle()
}

// differs gives the first lines in which two texts differ.
func differs(a, b string) string {
	one, other := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(one), len(other)) {
		if one[i] != other[i] {
			return strings.Join(one[max(0, i-3):i+1], "\n") + "\nand\n" + other[i]
		}
	}
	return fmt.Sprint(len(one), " lines and ", len(other))
}
