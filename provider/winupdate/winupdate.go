// Package winupdate is the provider for Windows Update: what Windows' own update engine
// offers, and what it installed.
//
// Every update is an item of its own, named by the ID and the revision that the engine has for
// it; an approval is for exactly these. That the engine says an update is installed is one
// reading. A second one, which never comes from the engine (the build, the component store,
// the driver in use, Defender's own version), has to agree before the update counts as there;
// where it does not, the item says so and counts as neither.
package winupdate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// Name is the provider's name. It is stored with every item.
const Name = "winupdate"

const (
	windowsName = "Windows" // the item that is the system itself
	origin      = "Windows Update"
	gone        = patch.Nothing
	maxHistory  = 1000
)

// Kind is Windows Update.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   Name,
		Traits: provider.Traits{Versions: patch.SchemeRevision, Exact: true, Adds: true, Phase: provider.System},
		Open:   open,
	}
}

// Windows speaks for one machine.
type Windows struct {
	env  provider.Env
	host provider.EngineHost
}

var (
	_ provider.Provider  = (*Windows)(nil)
	_ provider.Refresher = (*Windows)(nil)
	_ provider.Stager    = (*Windows)(nil)
	_ provider.Undoer    = (*Windows)(nil)
	_ provider.Repairer  = (*Windows)(nil)
	_ provider.Historian = (*Windows)(nil)
)

// open finds out whether there is an engine. One that is there and does not answer is not
// absent: its updates are not known, and that is told.
func open(ctx context.Context, env provider.Env) (provider.Provider, error) {
	host, ok := env.Host.(provider.EngineHost)
	if !ok {
		return nil, fmt.Errorf("there is no Windows Update here: %w", provider.ErrAbsent)
	}
	engine, err := host.Engine(ctx)
	switch {
	case errors.Is(err, provider.ErrAbsent):
		return nil, fmt.Errorf("there is no Windows Update here: %w", err)
	case err == nil:
		engine.Close()
	}
	return &Windows{env: env, host: host}, nil
}

// with reaches the engine for as long as do works.
func (w *Windows) with(ctx context.Context, do func(provider.Engine) error) error {
	engine, err := w.host.Engine(ctx)
	if err != nil {
		return explained("reaching Windows Update", err)
	}
	defer engine.Close()
	return do(engine)
}

// search asks the engine, and checks what it says.
func search(ctx context.Context, e provider.Engine, q provider.EngineSearch, online bool) ([]provider.EngineUpdate, error) {
	list, err := e.Search(ctx, q, online)
	if err != nil {
		return nil, explained("searching for updates", err)
	}
	list, err = checked(list)
	if err != nil {
		return nil, fmt.Errorf("searching for updates: %w", err)
	}
	return list, nil
}

// found is what there is: what the engine says, and what two readings make of it.
type found struct {
	installed, offered []provider.EngineUpdate // as the engine tells them; offered without hidden ones
	items              []patch.Item            // sorted, that of Windows among them
}

// look reads all of it. What this agent installed and the engine does not tell of any more is
// looked at too.
func (w *Windows) look(ctx context.Context, e provider.Engine) (found, error) {
	var f found
	var err error
	if f.installed, err = search(ctx, e, provider.EngineInstalled, false); err != nil {
		return f, err
	}
	if f.offered, err = search(ctx, e, provider.EngineOffered, false); err != nil {
		return f, err
	}
	m, err := readMarks(w.host)
	if err != nil {
		return f, err
	}
	system, err := m.windows()
	if err != nil {
		return f, err
	}
	f.items = []patch.Item{system}
	logged := w.logged(ctx, e)
	known := map[string]bool{}
	add := func(t told, list []provider.EngineUpdate) error {
		for _, u := range list {
			if known[u.ID.Update] {
				continue
			}
			known[u.ID.Update] = true
			s, err := m.of(u)
			if err != nil {
				return err
			}
			if t == toldNothing && s.mark != markWaiting && s.mark != markLeaving {
				continue // the engine tells no more of what another update took the place of
			}
			succeeded := false
			if s.mark == markNever && t == toldInstalled {
				succeeded = logged()[u.ID.Update]
			}
			item, ok := itemOf(u, t, s, m.restart, succeeded)
			if also, twice := find(f.offered, u.ID.Update); t == toldInstalled && twice && !item.Leaving && also.ID.Revision <= u.ID.Revision && item.Disputed == "" {
				item.Disputed, item.Previous = "Windows Update says that it is installed and that it is missing.", ""
			}
			if ok {
				f.items = append(f.items, item)
			}
		}
		return nil
	}
	err = errors.Join(add(toldInstalled, f.installed), add(toldOffered, f.offered), add(toldNothing, w.record().applied()))
	slices.SortFunc(f.items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	return f, err
}

// itemOf is the item that two readings make of an update; ok is false where it is not there.
func itemOf(u provider.EngineUpdate, t told, s second, restart, logged bool) (patch.Item, bool) {
	state, why := judge(t, s, restart, logged)
	if state == stateAbsent {
		return patch.Item{}, false
	}
	i := patch.Item{
		Provider: Name, Name: itemName(u), Title: u.Title, Instance: u.ID.Update, Source: u.ID.Update, Origin: origin,
		Version: strconv.Itoa(u.ID.Revision), Disputed: why,
		Restart: state == statePending || state == stateLeaving, Leaving: state == stateLeaving,
	}
	if u.Removable && t == toldInstalled && state == stateThere || i.Leaving {
		i.Previous = gone
	}
	return i, true
}

// logged gives, by ID, whether the last word of the engine's history is an installation that
// succeeded. It is read when it is first asked for; one that cannot be read says nothing.
func (w *Windows) logged(ctx context.Context, e provider.Engine) func() map[string]bool {
	var last map[string]bool
	return func() map[string]bool {
		if last != nil {
			return last
		}
		last = map[string]bool{}
		events, err := e.History(ctx, maxHistory)
		if err != nil {
			w.env.Log.Warn("the history of Windows Update cannot be read", "error", err)
		}
		seen := map[string]bool{}
		for _, ev := range events { // the newest first
			if id := ev.ID.Update; !seen[id] {
				seen[id] = true
				last[id] = !ev.Removal && ev.Result == provider.EngineSucceeded
			}
		}
		return last
	}
}

// Installed lists Windows itself and the updates that are there, or of which that is disputed.
func (w *Windows) Installed(ctx context.Context) ([]patch.Item, error) {
	var f found
	err := w.with(ctx, func(e provider.Engine) (err error) {
		f, err = w.look(ctx, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.items, nil
}

// Available lists what the engine last heard of, hidden updates included.
func (w *Windows) Available(ctx context.Context) (patch.Offer, error) {
	o := patch.Offer{Updates: []patch.Update{}}
	err := w.with(ctx, func(e provider.Engine) error {
		state, err := e.State(ctx)
		if err != nil {
			return explained("asking how Windows Update is", err)
		}
		o.Sources = []patch.Source{w.source(state)}
		if o.Sources[0].RefreshedAt == nil {
			return errors.New("nobody ever asked the update server what is on offer")
		}
		installed, err := search(ctx, e, provider.EngineInstalled, false)
		if err != nil {
			return err
		}
		offered, err := search(ctx, e, provider.EngineOffered, false)
		if err != nil {
			return err
		}
		hidden, err := search(ctx, e, provider.EngineHidden, false)
		if err != nil {
			return err
		}
		o.Updates, o.Notes = offers(w.env.Now(), w.record().Seen, installed, offered, hidden)
		return nil
	})
	if o.Sources == nil {
		o.Sources = []patch.Source{w.source(provider.EngineState{})}
	}
	return o, err
}

// offers are the updates that are needs of their own: those that nothing else on offer
// supersedes. How many are left out, and why, is a note.
func offers(now time.Time, past []seen, installed, offered, hidden []provider.EngineUpdate) ([]patch.Update, []string) {
	g := graphOf(now, past, installed, offered, hidden)
	byID := map[string]provider.EngineUpdate{}
	for _, u := range offered {
		byID[u.ID.Update] = u
	}
	for _, u := range hidden { // of one that is told twice, that it is hidden counts
		u.Hidden = true
		byID[u.ID.Update] = u
	}
	covered := g.covered(ids(installed))
	replaced := g.replaced(slices.Collect(maps.Values(byID)))
	ups := []patch.Update{}
	var notes []string
	for id, u := range byID {
		if by, ok := replaced[id]; ok {
			notes = append(notes, fmt.Sprintf("%s is on offer and superseded by %s.", name(u), name(byID[by])))
			continue
		}
		p := offer(u, now)
		p.FirstAt, p.Supersedes = g.firstAt(u, covered), g.known(id)
		if was, ok := find(installed, id); ok && was.ID.Revision < u.ID.Revision { // a newer revision of what is there
			p.Name, p.Installed = itemName(was), strconv.Itoa(was.ID.Revision)
		}
		ups = append(ups, p)
	}
	slices.SortFunc(ups, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) })
	slices.Sort(notes)
	return ups, notes
}

func ids(list []provider.EngineUpdate) map[string]bool {
	all := map[string]bool{}
	for _, u := range list {
		all[u.ID.Update] = true
	}
	return all
}

// source is the engine's one: Microsoft, or the WSUS server that a policy names. The time is
// the engine's own, or this agent's where that is later; one that is still to come is not
// believed.
func (w *Windows) source(state provider.EngineState) patch.Source {
	rec := w.record()
	s := patch.Source{Provider: Name, Name: origin, Origin: origin, Error: rec.Error, Repair: rec.told(w.env.Now())}
	if v, err := keyOf(w.host, policyKey); err == nil {
		if at, err := url.Parse(v.Value("WUServer").Text); err == nil && at.Hostname() != "" {
			s.Name = "WSUS at " + provider.Calm(at.Host, maxName)
		}
	}
	if state.Managed && s.Name == origin {
		s.Name = "WSUS"
	}
	for _, at := range []time.Time{state.Searched.UTC(), rec.RefreshedAt} {
		if !at.IsZero() && !at.After(w.env.Now().Add(time.Hour)) && (s.RefreshedAt == nil || at.After(*s.RefreshedAt)) {
			s.RefreshedAt = &at
		}
	}
	if s.RefreshedAt == nil && s.Error == "" {
		s.Error = "It was never asked."
	}
	return s
}

// Refresh lets the engine ask its server.
func (w *Windows) Refresh(ctx context.Context) ([]patch.Source, error) {
	var state provider.EngineState
	var offered, hidden, installed []provider.EngineUpdate
	err := w.with(ctx, func(e provider.Engine) (err error) {
		if offered, err = search(ctx, e, provider.EngineOffered, true); err != nil {
			return err
		}
		if hidden, err = search(ctx, e, provider.EngineHidden, false); err != nil {
			return err
		}
		if installed, err = search(ctx, e, provider.EngineInstalled, false); err != nil {
			return err
		}
		state, err = e.State(ctx)
		return explained("asking how Windows Update is", err)
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if errors.Is(err, provider.ErrBusy) {
		return nil, err
	}
	rec := w.record()
	if rec.Error = ""; err != nil {
		rec.fail(w.env.Now(), trouble{Search: true}, err)
		rec.searchFailed(w.env.Now(), err)
		rec.Error = provider.Clip(rec.tried(err.Error()), provider.MaxWords)
	} else {
		now := w.env.Now().UTC()
		rec.Failed = nil
		rec.RefreshedAt, rec.Seen = now, graphOf(now, rec.Seen, offered, hidden).remember(ids(installed))
		if rec.Trouble != nil && rec.Trouble.Search {
			rec.Trouble = nil
		}
	}
	if err := w.env.WriteRecord(recordFile, rec); err != nil {
		return nil, err
	}
	return []patch.Source{w.source(state)}, nil
}
