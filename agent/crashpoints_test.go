package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// A crash point is a write of the agent, and a way in which it is cut off there. Which writes
// there are is found out by running: a new one adds its points by itself.

// replayed is a cut after a write where, on top, the first answer after the next start is one
// from long before.
const replayed how = "replayed"

func ways() []how { return []how{before, torn, after, unsynced, replayed} }

// powerCut reports whether the machine goes down with the agent.
func (h how) powerCut() bool { return h == torn || h == unsynced }

// cut is one crash point of one life of the agent.
type cut struct {
	write int
	how   how
}

// scene is what the agent has to do.
type scene struct {
	jobs   []wire.Job
	begin  func(w *world)
	during func(w *world)       // once, after a minute of the first life
	want   map[string]wire.Step // by item, or by job where there are two for one
	reboot string               // the item that runs only after a reboot
	lied   map[string]bool      // the items of which a receipt may only say that it is disputed
	zone   string               // of the machine, where a day there may have one reboot
}

// either is the end of a job that may be done or fail, as long as what is told is so.
const either wire.Step = "either"

// version is what there is of an item.
func (w *world) version(name string) string {
	if w.updates != nil {
		return w.updates.version(name)
	}
	return w.machine.version(name)
}

func scenes() map[string]func() scene {
	upgrade := func(names ...string) func() scene {
		return func() scene {
			s := scene{want: map[string]wire.Step{}}
			versions := map[string][2]string{"curl": {"1.0", "1.1"}, "nginx": {"2.0", "2.1"}, "kernel": {"6.0", "6.1"}}
			for _, n := range names {
				s.jobs, s.want[n] = append(s.jobs, job(n, versions[n][0], versions[n][1])), wire.StepDone
			}
			return s
		}
	}
	return map[string]func() scene{
		"upgrade": upgrade("curl", "nginx"),
		"one fails": func() scene {
			s := upgrade("curl", "nginx")()
			s.want["nginx"] = wire.StepFailed
			s.begin = func(w *world) {
				w.machine.apply = func(r provider.Request) (provider.Outcome, bool, error) {
					for _, u := range r.Updates {
						if u.Name == "nginx" {
							return provider.Outcome{}, false, errors.New("its script failed")
						}
					}
					return provider.Outcome{}, true, nil
				}
			}
			return s
		},
		"reboot": func() scene {
			s := upgrade("kernel", "curl")()
			s.reboot = "kernel"
			s.begin = func(w *world) {
				w.server.set(func(d *wire.DeviceOrders) { d.Reboot = true })
				w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
					w.machine.restart = wire.Restart{Machine: true, Reasons: []string{"kernel"}}
					return provider.Outcome{Reboot: patch.Yes}, true, nil
				}
			}
			return s
		},
		"asked, and a time chosen": func() scene {
			s := upgrade("kernel", "curl")()
			s.reboot = "kernel"
			s.begin = func(w *world) {
				w.people = true
				w.chooses = func(q provider.Question) (int, error) { return 1, nil } // in an hour
				w.server.set(func(d *wire.DeviceOrders) {
					d.Reboots = &wire.Reboots{When: wire.RebootAsk, Postpone: 1, DeadlineHours: 24, Daily: 1}
				})
				w.asksForRestarts()
			}
			return s
		},
		"two reboots, one a day": func() scene {
			s := upgrade("kernel")()
			s.jobs = append(s.jobs, job("curl", "1.0", "1.1", func(j *wire.Job) { j.NotBefore = time.Now().Add(25 * time.Minute) }))
			s.want["curl"], s.reboot, s.zone = wire.StepDone, "kernel", "Etc/GMT+1" // where it is eleven
			s.begin = func(w *world) {
				w.server.set(func(d *wire.DeviceOrders) { d.Reboots = &wire.Reboots{When: wire.RebootWindow, Daily: 1} })
				w.asksForRestarts()
			}
			return s
		},
		"services restart": func() scene {
			s := upgrade("curl", "nginx")()
			s.begin = func(w *world) {
				w.server.set(func(d *wire.DeviceOrders) { d.Restart = true })
				w.leaves("curl", "both.service", "nginx", "both.service", "nginx", "nginx.service")
			}
			return s
		},
		"offline, then reported": func() scene {
			s := upgrade("curl", "kernel")()
			s.begin = func(w *world) {
				w.server.set(func(d *wire.DeviceOrders) { d.Windows.Opens[0].From = time.Now().Add(5 * time.Minute) })
			}
			s.during = func(w *world) { w.server.net.cut(true) }
			return s
		},
		"undo": func() scene {
			s := scene{want: map[string]wire.Step{"curl": wire.StepDone, "nginx": wire.StepDone}}
			s.jobs = []wire.Job{job("curl", "1.1", "1.0", undone), job("nginx", "2.0", "2.1")}
			s.begin = func(w *world) { w.machine.installed["curl"], w.machine.previous["curl"] = "1.1", "1.0" }
			return s
		},
		"cut short, then finished": func() scene {
			s := upgrade("curl")()
			s.begin = func(w *world) {
				w.breaks()
				w.machine.repair = func() (provider.Outcome, error) { return provider.Outcome{}, nil }
			}
			return s
		},
		"programs of a Windows": func() scene {
			s := scene{want: map[string]wire.Step{"tool": wire.StepDone, "suite": wire.StepDone}}
			s.jobs = []wire.Job{program("tool", "1.0", "1.1", false), program("suite", "2.0", "2.1", true)}
			s.begin = func(w *world) {
				w.onWindows(20*time.Minute, map[string]bool{"suite": true}, map[string][]string{"tool": {"1.0", "1.1"}, "suite": {"2.0", "2.1"}}) // beyond a life
			}
			return s
		},
		"undo on a Windows": func() scene {
			s := scene{want: map[string]wire.Step{"tool": wire.StepDone, "suite": wire.StepDone}}
			s.jobs = []wire.Job{program("tool", "1.1", "1.0", false, undone), program("suite", "2.1", "2.0", true, undone)}
			s.begin = func(w *world) {
				w.onWindows(3*time.Minute, map[string]bool{"suite": true}, map[string][]string{"tool": {"1.1", "1.0"}, "suite": {"2.1", "2.0"}})
				w.updatedBefore(s.jobs)
			}
			return s
		},
		"renewal": func() scene {
			s := upgrade("curl")()
			s.begin = func(w *world) { w.server.lifetime = 20 * time.Minute }
			return s
		},
	}
}

// asksForRestarts has every update ask for a restart of the machine.
func (w *world) asksForRestarts() {
	w.machine.apply = func(r provider.Request) (provider.Outcome, bool, error) {
		w.machine.restart = wire.Restart{Machine: true}
		for _, u := range r.Updates {
			w.machine.restart.Reasons = append(w.machine.restart.Reasons, u.Name)
		}
		return provider.Outcome{Reboot: patch.Yes}, true, nil
	}
}

// life lets the agent live for a while, over restarts of the machine.
func (w *world) life(d time.Duration, c cut, during func(*world)) (hit bool) {
	w.disk.writes, w.disk.cutAt, w.disk.how = 0, c.write, c.how
	if c.how == replayed {
		w.disk.how = after
	}
	up := w.start()
	for began := time.Now(); time.Since(began) < d; {
		pass(time.Minute)
		if during != nil {
			during(w)
			during = nil
		}
		if up && w.rebooting.Swap(false) {
			w.stop()
			w.boots()
			up = w.start()
		}
	}
	if up {
		w.stop()
	}
	w.stop = nil
	if w.rebooting.Swap(false) { // it asked for that as it ended
		w.boots()
	}
	w.disk.mu.Lock()
	hit = w.disk.dead
	w.disk.mu.Unlock()
	w.disk = w.disk.revive()
	if hit && c.how.powerCut() {
		w.boots()
	}
	if hit && c.how == replayed {
		w.server.replay()
	}
	return hit
}

// boots is the machine coming up again.
func (w *world) boots() {
	w.machine.mu.Lock()
	defer w.machine.mu.Unlock()
	w.booted++
	w.machine.boot, w.machine.restart = fmt.Sprintf("boot-%d", w.booted+1), wire.Restart{}
	if w.updates != nil {
		w.updates.boots()
	}
}

// crash plays a scene with cuts, one per life, and holds the agent to the truth afterwards.
// It reports whether the last cut was made at all.
func crash(t *testing.T, make func() scene, cuts ...cut) (hit bool) {
	w := newWorld(t)
	defer w.end()
	s := make()
	double, reboots := 0, map[string]int{} // by day
	w.machine.zone = s.zone
	w.reboot = func(context.Context) error {
		here, err := w.disk.moment() // the last before it is asked for; cut off after, it is made all the same
		if err == nil || here && w.disk.how == after {
			day := ""
			if zone, err := time.LoadLocation(s.zone); err == nil && s.zone != "" {
				day = time.Now().In(zone).Format(time.DateOnly)
			}
			reboots[day]++
			w.rebooting.Store(true)
		}
		return err
	}
	w.order(s.jobs...)
	if s.begin != nil {
		s.begin(w)
	}
	inner := w.machine.apply
	w.machine.apply = func(r provider.Request) (provider.Outcome, bool, error) {
		for _, u := range r.Updates {
			if w.machine.installed[u.Name] == u.Available {
				double++
			}
		}
		if inner != nil {
			return inner(r)
		}
		return provider.Outcome{}, true, nil
	}
	for i, c := range cuts {
		during := s.during
		if i > 0 {
			during = nil
		}
		hit = w.life(15*time.Minute, c, during)
	}
	w.server.net.cut(false)
	rest := 2 * time.Hour
	if w.updates != nil {
		rest = 80 * time.Minute
	}
	w.life(rest, cut{}, nil)
	w.truth(s, fmt.Sprint(cuts))
	if w.updates != nil {
		w.updates.truth(s, fmt.Sprint(cuts))
	}
	if w.windows != nil && w.windows.clashes > 0 {
		t.Errorf("%v: %d installers ran beside another, or for what was there", cuts, w.windows.clashes)
	}
	if double > 0 {
		t.Errorf("%v: %d updates were installed that were there", cuts, double)
	}
	for service, n := range w.restarts {
		if n > maxTries {
			t.Errorf("%v: %s was restarted %d times", cuts, service, n)
		}
	}
	if len(w.machine.restart.Old) > 0 {
		t.Errorf("%v: old files are still in use: %+v", cuts, w.machine.restart.Old)
	}
	for day, n := range reboots {
		if n > 1 {
			t.Errorf("%v: %d reboots %s", cuts, n, day)
		}
	}
	if noted := len(w.notes()); noted < len(w.asks)+len(w.notices) {
		t.Errorf("%v: %d records of %q and %q", cuts, noted, w.asks, w.notices)
	}
	return hit
}

// truth compares what the server was told with what is so.
func (w *world) truth(s scene, when string) {
	w.t.Helper()
	ends, seen := map[string]int{}, map[int64]bool{}
	for _, o := range w.server.told() {
		if seen[o.Seq] {
			w.t.Errorf("%s: number %d is used twice", when, o.Seq)
		}
		seen[o.Seq] = true
		if !o.Step.Ended() {
			continue
		}
		ends[o.Job]++
		r := w.receipt(o)
		name := r.Target.Name
		if want := cmp.Or(s.want[o.Job], s.want[name]); o.Step != want && want != either {
			w.t.Errorf("%s: %s ended %s: %s", when, name, o.Step, o.Message)
		}
		if is := w.version(name); r.After != is && !s.lied[name] && (r.Verified || s.want[o.Job] == "") {
			w.t.Errorf("%s: the receipt says %s %s, and it is %s", when, name, r.After, is)
		}
		if want := o.Step == wire.StepDone; r.Verified != want {
			w.t.Errorf("%s: %s is verified: %v; %s", when, name, r.Verified, o.Message)
		}
		if r.Verified && name == s.reboot && r.BootBefore == r.BootAfter {
			w.t.Errorf("%s: %s is verified under the boot it was installed in", when, name)
		}
	}
	for _, j := range s.jobs {
		if ends[j.ID] != 1 {
			w.t.Errorf("%s: %s ended %d times; told %+v", when, j.Target.Name, ends[j.ID], w.server.told())
		}
	}
}

// TestAgentSurvivesEveryCrashPoint cuts the agent off at every write it makes, in every way,
// and again while it recovers. Whatever the moment, each job ends once, with one truth for
// the server: what the machine is like. Nothing is installed twice, no reboot is made twice.
func TestAgentSurvivesEveryCrashPoint(t *testing.T) {
	var points, updates atomic.Int64
	all := maps.Clone(scenes())
	maps.Copy(all, updateScenes())
	t.Run("scenes", func(t *testing.T) {
		for name, make := range all {
			for _, h := range ways() {
				if testing.Short() && (name != "reboot" && name != "Windows restarts" || h == after || h == unsynced) {
					continue
				}
				t.Run(name+", "+string(h), func(t *testing.T) {
					t.Parallel()
					ours := updateScenes()[name] != nil
					n := int64(crashEverywhere(t, make, h, thinness(ours)))
					points.Add(n)
					if ours {
						updates.Add(n)
					}
				})
			}
		}
	})
	share := float64(updates.Load()) / float64(max(1, points.Load()))
	fmt.Printf("FIGURE crash_points_of_the_agent %d - on_paths_of_Windows_Update %d %.2f >=2000\n", points.Load(), updates.Load(), share)
	if share < 1.0/3 {
		t.Errorf("only %d of %d crash points are on paths of Windows Update", updates.Load(), points.Load())
	}
	least := int64(2000)
	if testing.Short() {
		least = 40
	}
	if points.Load() < least {
		t.Errorf("only %d crash points were tried", points.Load())
	}
}

// thin says how much of a scene is tried: each so many-th write of the first life is cut off,
// after each so many-th of those cuts the next life, too, and there each so many-th write.
type thin struct{ first, again, second int }

// thinness is how much there is time for.
func thinness(updates bool) thin {
	switch all := os.Getenv("PATCHBAY_CRASH_POINTS") == "all"; { // make figures has it
	case all && updates:
		return thin{1, 6, 11}
	case all:
		return thin{1, 1, 3}
	case updates: // their lives have twice as many writes and more
		return thin{3, 4, 31}
	}
	return thin{1, 2, 31}
}

// crashEverywhere cuts at each write that is not left out, and, unless time is short, at some
// of the life after that, in turn in each way.
func crashEverywhere(t *testing.T, make func() scene, h how, every thin) (points int) {
	begin := 1 + slices.Index(ways(), h)%every.first // what one way leaves out, another does not
	for first, hit := begin, true; hit; first += every.first {
		synctest.Test(t, func(t *testing.T) { hit = crash(t, make, cut{first, h}) })
		if !hit {
			return points
		}
		points++
		if testing.Short() || first/every.first%every.again != 0 {
			continue
		}
		for second, again := 1+first%every.second, true; again; second += every.second {
			synctest.Test(t, func(t *testing.T) { again = crash(t, make, cut{first, h}, cut{second, ways()[second%len(ways())]}) })
			if again {
				points++
			}
		}
	}
	return points
}
