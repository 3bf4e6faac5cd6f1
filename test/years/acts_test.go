package years

import (
	"fmt"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/window"
	"patchbay/wire"
)

// act is something that happens, by itself or because somebody does it.
type act struct {
	name   string
	weight int
	fault  bool
	do     func(*world, *device) bool // false when there was nothing to do it to
}

// acts are all that happens beside what happens on the network (trouble).
func acts() []act {
	return []act{
		{"a version appears", 30, false, (*world).publish},
		{"a person approves", 16, false, (*world).approve},
		{"a person rejects", 2, false, (*world).reject},
		{"a person tries again", 4, false, (*world).tryAgain},
		{"a person says now", 4, false, (*world).forceNow},
		{"a person takes back", 14, false, (*world).undo},
		{"a copy of the server's disk", 4, false, func(w *world, _ *device) bool { return w.backup() }},

		{"an approval is withdrawn", 5, true, (*world).takeBack},
		{"an update is withdrawn", 5, true, (*world).recall},
		{"an update is superseded", 5, true, (*world).supersede},
		{"the window changes", 4, true, (*world).moveWindow},
		{"the rule changes", 2, true, (*world).changeRule},

		{"killed at a write", 16, true, (*world).cutAtWrite},
		{"agent killed", 6, true, func(w *world, d *device) bool { return d.kill(false, w.between(time.Second, time.Hour)) }},
		{"power cut", 6, true, func(w *world, d *device) bool { return d.kill(true, w.between(time.Minute, 8*time.Hour)) }},
		{"rebooted by a person", 4, true, func(w *world, d *device) bool { return d.kill(true, w.between(20*time.Second, 5*time.Minute)) }},
		{"away", 4, true, (*world).away},
		{"network down", 6, true, func(w *world, d *device) bool {
			d.lost = time.Now().Add(w.between(time.Minute, 3*time.Hour) * time.Duration(1+9*(w.pick(5)/4)))
			d.hangUp()
			return true
		}},
		{"clock leaps", 6, true, (*world).leap},
		{"lock held", 6, true, func(w *world, d *device) bool {
			d.machine.busy = time.Now().Add(w.between(time.Minute, 3*time.Hour))
			return true
		}},
		{"sources down", 5, true, func(w *world, d *device) bool {
			d.machine.offline = time.Now().Add(w.between(time.Hour, 40*time.Hour))
			return true
		}},
		{"unreadable", 4, true, func(w *world, d *device) bool {
			d.machine.blind = time.Now().Add(w.between(time.Minute, 30*time.Hour))
			return true
		}},
		{"scripts fail", 6, true, func(w *world, d *device) bool {
			d.machine.fails[w.item()] = time.Now().Add(w.between(time.Hour, 6*24*time.Hour))
			return true
		}},
		{"disk full", 4, true, func(w *world, d *device) bool {
			d.disk.full = time.Now().Add(w.between(time.Minute, 10*time.Hour))
			return true
		}},
		{"does not restart", 3, true, func(w *world, d *device) bool {
			d.machine.stubborn = time.Now().Add(w.between(time.Hour, 50*time.Hour))
			return true
		}},
		{"another installs", 5, true, (*world).otherInstalls},
		{"another goes back", 4, true, (*world).otherGoesBack},
		{"server killed", 6, true, func(w *world, _ *device) bool { return w.server.crash() }},
		{"server restored", 3, true, func(w *world, _ *device) bool { return w.restore() }},
	}
}

// happens lets one thing happen.
func (w *world) happens() {
	w.chanceAnew()
	all := acts()
	total := 0
	for _, a := range all {
		total += a.weight
	}
	n := w.pick(total)
	for _, a := range all {
		if n -= a.weight; n >= 0 {
			continue
		}
		d := w.devices[w.pick(len(w.devices))]
		w.note("%s, %s", a.name, d.name)
		if a.do(w, d) && a.fault {
			w.wrong(a.name)
		}
		return
	}
}

// trouble draws what happens to one exchange.
func (w *world) trouble(d *device) trouble {
	if !w.chance(7) {
		return smooth
	}
	t := []trouble{unasked, unheard, unheard, doubled, replayed, crashed}[w.pick(6)]
	if t == replayed && len(d.replies) == 0 {
		return smooth
	}
	w.note("%s, %s", t, d.name)
	w.wrong(string(t))
	return t
}

func (w *world) item() string {
	all := software()
	return all[w.pick(len(all))].name
}

// publish puts a new version of something on offer.
func (w *world) publish(*device) bool { return w.offerNext(w.item()) }

func (w *world) offerNext(name string) bool {
	w.made[name]++
	o := offer{fmt.Sprint("1.", w.made[name]), patch.Security}
	if w.chance(35) {
		o.class = patch.BugFix
	}
	if old := w.offers[name]; old.version != "" && w.chance(50) {
		w.kept[name+" "+old.version] = true
	}
	w.offers[name] = o
	w.note("%s %s is on offer, %s", name, o.version, o.class)
	return true
}

// recall takes a version off again, in favour of the one before or of none.
func (w *world) recall(*device) bool {
	name := w.item()
	o := w.offers[name]
	if o.version == "" {
		return false
	}
	w.kept[name+" "+o.version] = w.chance(50)
	if n := minor(o.version) - 1; n > 0 {
		w.offers[name] = offer{fmt.Sprint("1.", n), o.class}
	} else {
		delete(w.offers, name)
	}
	w.note("%s %s is taken off", name, o.version)
	return true
}

// supersede puts a newer one in the place of an offer that somebody may be at.
func (w *world) supersede(*device) bool {
	for _, i := range software() {
		if w.offers[i.name].version != "" && w.chance(50) {
			return w.offerNext(i.name)
		}
	}
	return false
}

// handle is a person's, nil while the server is down.
func (w *world) handle() *store.Customer {
	if w.server.core == nil {
		return nil
	}
	return w.server.core.store.Customer(store.Who{ID: "per_ann", Name: "Ann"}, customerID)
}

// due lets the server decide anew.
func (w *world) due() {
	w.server.core.DueCustomer(customerID)
	w.server.core.kick()
}

// answer writes a person's answer to a version.
func (w *world) answer(name, version string, level store.Level, target string, change func(*store.Approval)) bool {
	h := w.handle()
	if h == nil || version == "" {
		return false
	}
	manager := ""
	for _, i := range software() {
		if i.name == name {
			manager = i.manager
		}
	}
	a := store.Approval{ID: patch.NewID(patch.ApprovalID), Customer: customerID, Level: level, Target: target, Provider: manager, Name: name,
		Version: version, Origin: origin, Answer: store.Approve, By: "per_ann", ByName: "Ann", At: time.Now()}
	change(&a)
	w.must(h.CreateApprovals(background(), time.Now(), []store.Approval{a}))
	w.note("answered for %s %s: %s", name, version, a.Answer)
	w.due()
	return true
}

// yes approves what is on offer, and perhaps what follows it.
func (w *world) yes(name string, level store.Level, target string) bool {
	return w.answer(name, w.offers[name].version, level, target, func(a *store.Approval) { a.Follow = w.chance(40) })
}

func (w *world) approve(d *device) bool {
	name := w.item()
	switch w.pick(3) {
	case 0:
		return w.yes(name, store.LevelCustomer, customerID)
	case 1:
		return w.yes(name, store.LevelSite, siteID)
	}
	return w.yes(name, store.LevelDevice, d.id)
}

func (w *world) reject(d *device) bool {
	name := w.item()
	return w.answer(name, w.offers[name].version, store.LevelDevice, d.id, func(a *store.Approval) { a.Answer, a.Reason = store.Reject, "not now" })
}

// undo is a person who wants a version gone where it is installed.
func (w *world) undo(d *device) bool {
	var names []string
	for _, name := range d.machine.names() {
		if d.machine.items[name].previous != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return false
	}
	name := names[w.pick(len(names))]
	back := func(a *store.Approval) { a.Answer, a.Reason = store.Undo, "it does harm" }
	if w.chance(50) {
		return w.answer(name, d.machine.items[name].now.version, store.LevelCustomer, customerID, back)
	}
	return w.answer(name, d.machine.items[name].now.version, store.LevelDevice, d.id, back)
}

// forceNow is a person who does not wait for the window, and has the agent restarted so that
// it hears of it soon.
func (w *world) forceNow(d *device) bool {
	done := false
	for _, i := range software() {
		if o := w.offers[i.name]; minor(d.machine.items[i.name].now.version) < minor(o.version) {
			until := time.Now().Add(4 * time.Hour)
			done = w.answer(i.name, o.version, store.LevelDevice, d.id, func(a *store.Approval) { a.ForcedUntil = &until }) || done
		}
	}
	return done && d.kill(false, w.between(time.Second, 2*time.Hour))
}

// tryAgain has a person ask anew for what was given up.
func (w *world) tryAgain(d *device) bool {
	if w.server.core == nil {
		return false
	}
	e, ok := w.server.core.index.Entry(d.id)
	if !ok {
		return false
	}
	for _, n := range e.Needs {
		if t := n.Work.Tried; t.Open == nil && t.GivenUp() {
			_, err := w.server.core.Retry(background(), view.Ref{ID: "per_ann", Name: "Ann"}, d.id, n.Key)
			w.note("%s: %s is to be tried again: %v", d.name, n.Key.Name, err)
			w.server.core.kick()
			return true
		}
	}
	return false
}

func (w *world) takeBack(*device) bool {
	h := w.handle()
	if h == nil {
		return false
	}
	all, err := h.Approvals(background(), store.ApprovalFilter{Open: true})
	w.must(err)
	if len(all) > 0 {
		a := all[w.pick(len(all))]
		w.must(h.WithdrawApproval(background(), time.Now(), a.ID))
		w.note("taken back: %s of %s %s", a.Answer, a.Name, a.Version)
		w.due()
	}
	return len(all) > 0
}

// policy changes what the site wants.
func (w *world) policy(change func(*store.SitePolicy)) bool {
	h := w.handle()
	if h == nil {
		return false
	}
	site, err := h.Site(background(), siteID)
	w.must(err)
	change(&site.Policy)
	site.ChangedAt = time.Now()
	w.must(h.UpdateSite(background(), time.Now(), site))
	w.due()
	return true
}

func (w *world) moveWindow(*device) bool {
	return w.policy(func(p *store.SitePolicy) { p.Windows = w.windows() })
}

func (w *world) changeRule(*device) bool {
	return w.policy(func(p *store.SitePolicy) {
		if p.Auto == store.Security {
			p.Auto = store.ByHand
		} else {
			p.Auto = store.Security
		}
		p.Reboots = w.reboots()
	})
}

func (w *world) cutAtWrite(d *device) bool {
	if d.life == nil {
		return false
	}
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	d.disk.cutAt, d.disk.how = d.disk.writes+1+w.pick(12), []how{before, torn, after, unsynced}[w.pick(4)]
	return true
}

// away is a machine that is off for days, some of them for a quarter.
func (w *world) away(d *device) bool {
	return d.kill(true, min(w.between(24*time.Hour, 12*24*time.Hour)*time.Duration(1+6*w.pick(2)), max(time.Hour, time.Until(w.ends)), 90*24*time.Hour))
}

// leap sets a machine's clock: while it runs ahead and a little back, with a restart to
// anywhere.
func (w *world) leap(d *device) bool {
	year := 365 * 24 * time.Hour
	all := []time.Duration{3 * time.Minute, -3 * time.Minute, time.Hour, -time.Hour, 5 * time.Hour, 26 * time.Hour, 40 * 24 * time.Hour, 3 * year}
	if w.chance(50) {
		all = []time.Duration{-20 * time.Hour, -40 * 24 * time.Hour, -5 * year, 9 * year, -d.off, -d.off}
		d.kill(true, w.between(20*time.Second, time.Hour))
	}
	by := all[w.pick(len(all))]
	d.off += by
	d.leapt, d.jumped = true, time.Now()
	w.note("%s: its clock leaps by %s, it is off by %s", d.name, by, d.off)
	return by != 0
}

// otherInstalls is another program that brings something up to date by itself.
func (w *world) otherInstalls(d *device) bool {
	name := w.item()
	if o := w.offers[name]; minor(o.version) > minor(d.machine.items[name].now.version) {
		d.machine.meddle(name, o.version)
		w.note("%s: another program installs %s %s", d.name, name, o.version)
		return true
	}
	return false
}

// otherGoesBack is somebody who puts an older version in place.
func (w *world) otherGoesBack(d *device) bool {
	name := w.item()
	n := minor(d.machine.items[name].now.version)
	if n > 0 {
		d.machine.meddle(name, fmt.Sprint("1.", n-1))
		w.note("%s: somebody goes back to %s 1.%d", d.name, name, n-1)
	}
	return n > 0
}

func (w *world) backup() bool {
	if w.server.core != nil {
		w.server.older = append(w.server.older, w.server.photograph())
	}
	return w.server.core != nil
}

// restore has the server go on from a copy of at most two weeks ago.
func (w *world) restore() bool {
	s := w.server
	s.older = slices.DeleteFunc(s.older, func(m image) bool { return time.Since(m.at) > 14*24*time.Hour })
	if s.core == nil || len(s.older) == 0 {
		w.backup()
		return false
	}
	m := s.older[w.pick(len(s.older))]
	w.note("the server goes on from what it was at %s", m.at.UTC().Format(time.DateTime))
	s.restore(m)
	s.comeBack(false)
	return true
}

// crash kills the server, which comes back after a while.
func (s *server) crash() bool {
	if s.core == nil {
		return false
	}
	s.kill()
	s.w.note("the server is killed")
	s.comeBack(true)
	return true
}

func (s *server) comeBack(all bool) {
	s.w.stage.actor("server comes back ", func(name string) {
		s.w.stage.sleep(name, s.w.between(time.Second, 3*time.Hour))
		if s.w.over || s.core != nil {
			return
		}
		s.start()
		s.w.note("the server is back")
		s.ringUp()
		if all {
			s.w.oracle.kept()
		}
	})
}

// ringUp wakes the server's loop.
func (s *server) ringUp() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// heal ends everything that is wrong, and lets the site want all that is on offer.
func (w *world) heal() {
	w.chanceAnew()
	w.calm = true
	if w.server.core == nil {
		w.server.start()
		w.server.ringUp()
	}
	for _, d := range w.devices {
		m := d.machine
		m.busy, m.offline, m.blind, m.stubborn, d.lost = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
		clear(m.fails)
		d.disk.mu.Lock()
		d.disk.full, d.disk.cutAt = time.Time{}, 0
		d.disk.mu.Unlock()
		if d.off != 0 {
			d.off, d.leapt, d.jumped = 0, true, time.Now()
			d.kill(true, time.Minute)
		}
	}
	always := []window.Weekly{{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, Start: "00:00", Minutes: 24 * 60}}
	w.policy(func(p *store.SitePolicy) {
		*p = store.SitePolicy{Auto: store.Security, Windows: always, Reboots: wire.Reboots{When: wire.RebootWindow, Daily: wire.UsualDaily}}
	})
	h := w.handle()
	all, err := h.Approvals(background(), store.ApprovalFilter{Open: true})
	w.must(err)
	for _, a := range all {
		if a.Answer != store.Approve {
			w.must(h.WithdrawApproval(background(), time.Now(), a.ID))
		}
	}
	for _, i := range software() {
		w.yes(i.name, store.LevelCustomer, customerID)
	}
	w.due()
}

// lookAfter is the person who looks at what failed for good, who finishes on the machine what
// a package manager left half done, and restarts one that was asked to and did not.
func (w *world) lookAfter(late bool) {
	w.chanceAnew()
	for _, d := range w.devices {
		w.tryAgain(d)
		if i := d.machine.items["kernel"]; late && d.life != nil && i.running != i.now.version && i.now.broken == "" {
			w.note("%s: somebody restarts it", d.name)
			d.kill(true, time.Minute)
			continue
		}
		for _, name := range d.machine.names() {
			if i := d.machine.items[name]; i.now.broken != "" {
				d.machine.meddle(name, i.now.version)
				w.note("%s: somebody finishes %s %s", d.name, name, i.now.version)
			}
		}
	}
}
