package agent

import (
	"time"

	"patchbay/wire"
)

// updateScenes are what the agent has to do with Windows Update.
func updateScenes() map[string]func() scene {
	plain := func(n int, change ...func(*fix)) *fix { return fixOf(n, change...) }
	installs := func(change func(*world, *updates), list ...*fix) scene {
		s := scene{jobs: fixes(list...), want: map[string]wire.Step{}, lied: map[string]bool{}}
		for _, f := range list {
			s.want[f.name()] = wire.StepDone
			if f.restarts {
				s.reboot = f.name()
			}
			if f.fails != 0 || f.lies {
				s.want[f.name()] = wire.StepFailed
			}
			s.lied[f.name()] = f.lies || f.reverts
		}
		s.begin = func(w *world) {
			h := w.onUpdates(20*time.Second, append(list, fixOf(9))...) // the last one nobody approved
			w.server.set(func(d *wire.DeviceOrders) { d.Reboot = true })
			if change != nil {
				change(w, h)
			}
		}
		return s
	}
	// later opens the window after a while, in which something changes.
	later := func(s scene, change func()) scene {
		begin := s.begin
		s.begin = func(w *world) {
			begin(w)
			w.updates.opens = time.Now().Add(5 * time.Minute)
			w.server.set(func(d *wire.DeviceOrders) { d.Windows.Opens[0].From = w.updates.opens })
		}
		s.during = func(w *world) {
			w.updates.mu.Lock()
			defer w.updates.mu.Unlock()
			change()
		}
		return s
	}
	refused := func(s scene, f *fix) scene {
		s.want[f.name()] = wire.StepFailed
		return s
	}
	return map[string]func() scene{
		"Windows updates": func() scene {
			return installs(nil, plain(1), plain(2), plain(3, func(f *fix) { f.Agreed = false }))
		},
		"Windows restarts": func() scene { return installs(nil, fixOf(1, monthly(4317)), plain(2)) },
		"an update takes longer than a life": func() scene {
			s := installs(nil, fixOf(1, monthly(4317)), plain(2))
			begin := s.begin
			s.begin = func(w *world) { begin(w); w.updates.takes = 9 * time.Minute }
			return s
		},
		"of three updates one fails": func() scene {
			return installs(nil, plain(1), plain(2, func(f *fix) { f.fails = 0x80070643 }), fixOf(3, monthly(4317)))
		},
		"an update lies": func() scene {
			return installs(nil, fixOf(1, monthly(4317), func(f *fix) { f.lies, f.restarts = true, false }), plain(2))
		},
		"the restart takes an update back": func() scene {
			f := fixOf(1, monthly(4317), func(f *fix) { f.reverts = true })
			s := refused(installs(nil, f, plain(2)), f)
			s.reboot = ""
			return s
		},
		"an update is taken off": func() scene {
			f, g := plain(1, onBoard), plain(2)
			s := installs(nil, f, g)
			s.jobs = []wire.Job{f.takenOff(), g.job()}
			return s
		},
		"an update is taken off by a restart": func() scene {
			f, g := fixOf(1, monthly(4317), onBoard), plain(2)
			s := installs(nil, f, g)
			s.jobs = []wire.Job{f.takenOff(), g.job()}
			return s
		},
		"an offer is withdrawn": func() scene {
			f := plain(1)
			return later(refused(installs(nil, f, plain(2)), f), func() { f.gone = true })
		},
		"another revision comes": func() scene {
			f := plain(1)
			return later(refused(installs(nil, f, fixOf(2, monthly(4317))), f), func() { f.ID.Revision++ })
		},
		"another revision comes at the last moment": func() scene {
			f, g := plain(1), plain(2)
			s := refused(installs(nil, f, g), f)
			begin := s.begin
			s.begin = func(w *world) {
				begin(w)
				f.hook = func() { f.ID.Revision++ }
				f.Downloaded, g.Downloaded = true, true
			}
			return s
		},
		"an update is superseded": func() scene {
			f, by := plain(1), plain(3)
			by.gone = true
			s := installs(func(_ *world, h *updates) { h.list = append(h.list, by) }, f, plain(2))
			return later(refused(s, f), func() { by.Supersedes, by.gone = []string{f.ID.Update}, false })
		},
		"an update is mended on the way": func() scene {
			f := plain(1, func(f *fix) { f.fails, f.mends = 0x80073712, true })
			s := installs(nil, f, plain(2))
			again := f.job(func(j *wire.Job) { j.Attempt, j.NotBefore = 2, time.Now().Add(40*time.Minute) })
			s.want[s.jobs[0].ID], s.want[again.ID] = wire.StepFailed, either // a repair that was cut off is made again only the next day
			s.jobs = append(s.jobs, again)
			return s
		},
	}
}
