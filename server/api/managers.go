package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/server/view"
	"patchbay/wire"
)

// What a device tells of its managers beyond what is decided by: it is bounded here, and what
// is not known here is never the good of several answers.

// Bounds on what is shown of it.
const (
	maxTold     = 1000 // bytes of a sentence or a title
	maxShort    = 200  // bytes of a name, a number
	maxRestarts = 20   // places that ask for a restart
)

// HistoryParams are what the list of a device's history takes.
type HistoryParams struct {
	DevicePath
	ListParams
	Result string `query:"result" enum:"succeeded,partly,failed,aborted,in_progress,unknown" doc:"Only what ended so"`
}

// history is what the managers on a device say they did. Nothing is proven by it.
func (s *Server) history(ctx context.Context, in *HistoryParams) (*Out[view.Page[view.HistoryEvent]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	d, h, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	row, err := h.Device(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range row.Facts.Providers[:min(len(row.Facts.Providers), mostProviders)] {
		names = append(names, p.Name+"/"+wire.HistorySection)
	}
	var events []ordered
	if len(names) > 0 {
		rows, err := h.Sections(ctx, []string{d.ID}, names...)
		if err != nil {
			return nil, err
		}
		needs := s.needsByInstance(d.ID)
		for _, row := range rows {
			provider := strings.TrimSuffix(row.Name, "/"+wire.HistorySection)
			for _, e := range decoded[patch.Event](row.Body) {
				e = soundEvent(e)
				if (in.Result == "" || in.Result == string(e.Result)) && matches(f.Q, e.Name, e.Title, e.By, e.Code, e.Why) {
					v := view.HistoryEvent{Event: e, Provider: provider, Need: needs[provider+"/"+e.Instance]}
					events = append(events, ordered{v, fmt.Sprintf("%06d", len(events))})
				}
			}
		}
	}
	p := view.Paginate(events, f, true, func(o ordered) string { return view.Moment(o.At) }, func(o ordered) string { return o.place })
	shown := view.Page[view.HistoryEvent]{Total: p.Total, NextCursor: p.NextCursor}
	for _, o := range p.Items {
		shown.Items = append(shown.Items, o.HistoryEvent)
	}
	return page(shown, f, s.Now()), nil
}

// mostProviders is how many of the providers that a device names are looked for.
const mostProviders = 50

// ordered is an event with its place in what its manager told, for those of one moment.
type ordered struct {
	view.HistoryEvent
	place string
}

// needsByInstance are the IDs of a device's needs by provider and instance.
func (s *Server) needsByInstance(device string) map[string]string {
	by := map[string]string{}
	for _, n := range s.Fleet.Needs(s.Now(), view.Filter{Device: device}).Items {
		if n.Item.Instance != "" {
			by[n.Item.Provider+"/"+n.Item.Instance] = n.ID
		}
	}
	return by
}

// soundEvent bounds one line of a history.
func soundEvent(e patch.Event) patch.Event {
	e.Name, e.Instance, e.Version, e.Code, e.By = cut(e.Name, maxShort), cut(e.Instance, maxShort), cut(e.Version, maxShort), cut(e.Code, maxShort), cut(e.By, maxShort)
	e.Title, e.Why = cut(e.Title, maxTold), cut(e.Why, maxTold)
	if !slices.Contains(patch.EventResults(), e.Result) {
		e.Result = patch.EventUnknown
	}
	if e.Result == patch.EventSucceeded && e.Code != "" { // a success has no number of a failure
		e.Result = patch.EventPartly
	}
	return e
}

// sound bounds what sources tell of their repair. A turn that is not known here is a person's.
func sound(sources []patch.Source) []patch.Source {
	for i, s := range sources {
		if s.Repair == nil {
			continue
		}
		r := *s.Repair
		if !slices.Contains(patch.Turns(), r.Turn) {
			r.Turn = patch.TurnPerson
		}
		r.Code, r.Act = cut(r.Code, maxShort), cut(r.Act, maxShort)
		r.Why, r.Next = cut(r.Why, maxTold), cut(r.Next, maxTold)
		r.Most = min(max(r.Most, 0), 99)
		r.Tries = min(max(r.Tries, 0), 99)
		r.Done = slices.Clone(r.Done[:min(len(r.Done), patch.MaxRepairs)])
		for n, a := range r.Done {
			a.Act, a.Code, a.Said = cut(a.Act, maxShort), cut(a.Code, maxShort), cut(a.Said, maxTold)
			if !slices.Contains(patch.RepairResults(), a.Result) {
				a.Result = patch.RepairCut
			}
			a.Try = min(max(a.Try, 0), 99)
			r.Done[n] = a
		}
		sources[i].Repair = &r
	}
	return sources
}

// soundRestart bounds the places in which a system says that it waits for a restart. A state
// that is not known here is not known.
func soundRestart(places []wire.RestartSource) []wire.RestartSource {
	places = slices.Clone(places[:min(len(places), maxRestarts)])
	known := []wire.RestartState{wire.RestartAsks, wire.RestartWaits, wire.RestartQuiet, wire.RestartUnknown}
	for i, p := range places {
		p.Kind, p.Why, p.Count = cut(p.Kind, maxShort), cut(p.Why, maxTold), max(p.Count, 0)
		if !slices.Contains(known, p.State) {
			p.State = wire.RestartUnknown
		}
		places[i] = p
	}
	return places
}

// cut bounds a text to n bytes at a rune's border.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// restartsOurs reports whether something that Patchbay installed waits for the machine to
// restart and the device may see to that.
func (s *Server) restartsOurs(device string) bool {
	return slices.ContainsFunc(s.Fleet.Needs(s.Now(), view.Filter{Device: device}).Items, func(n view.Need) bool {
		return n.Job != nil && n.Job.Step == wire.StepRebooting
	})
}

// restartPlan says who makes a restart that is asked for, a person or the device, and when;
// "" when none is asked for.
func restartPlan(d view.Device, when wire.RebootWhen, ours bool) (by, sentence string) {
	const person, device = "person", "device"
	switch {
	case !d.Restart.Machine && !ours:
		return "", ""
	case d.Agent.Mode == wire.Observe:
		return person, "A person restarts it: the agent was set up to observe only."
	case when != wire.RebootWindow && when != wire.RebootAsk:
		return person, fmt.Sprintf("A person restarts it: the policy of %s does not let devices reboot by themselves.", d.Site.Name)
	case !ours:
		return person, "A person restarts it, or the next update that Patchbay installs here does: a device reboots by itself only for what Patchbay installed."
	case d.Silent:
		return device, "The device restarts in its window, as far as is known: nothing was heard of it since."
	}
	if when == wire.RebootAsk {
		return device, "Those who are logged in are asked when it suits them; at the deadline, and where nobody is logged in, the device restarts by itself inside its window. " + d.Window.Sentence
	}
	return device, "The device restarts by itself inside its window. " + d.Window.Sentence
}
