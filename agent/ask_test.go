package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/window"
	"patchbay/wire"
)

// kind is the place of a choice among those that are offered, -1 when it is not.
func kind(q journal.Question, k journal.ChoiceKind) int {
	return slices.IndexFunc(q.Choices, func(c journal.Choice) bool { return c.Kind == k })
}

// TestSlots looks at every quarter of an hour of three days, around a change of the clocks, for
// each deadline: no slot is past, too soon or after the deadline, none comes twice, and each is a
// time of day that people choose.
func TestSlots(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Asia/Kathmandu"} {
		d := newDay(t, ask, nightly())
		d.c.report.Facts.Zone = zone
		d.c.zone = zoneOf(d.c.report.Facts, d.c.device)
		for now := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC); now.Before(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)); now = now.Add(15 * time.Minute) {
			for _, hours := range []int{1, 2, 8, 30, 72, 336} {
				for _, people := range []int{0, 1, 2} {
					d.c.now, d.c.people = now, people
					deadline := now.Add(time.Duration(hours) * time.Hour)
					slots := d.c.slots(deadline)
					if hours > 26 && len(slots) == 0 {
						t.Errorf("%s, %d hours, %d people: nothing to choose", now, hours, people)
					}
					for i, s := range slots {
						local, hour := s.In(d.c.zone), s.Sub(now) > time.Hour-5*time.Minute && s.Sub(now) <= time.Hour
						window := window.Open(d.c.windows, s).Since.Equal(s)
						usual := local.Hour() == 12 && local.Minute() == 0 || local.Hour() == 17 && local.Minute() == 30
						if s.Before(now.Add(slotLeast)) || s.After(deadline) || i > 0 && !s.After(slots[i-1]) || i >= mostSlots {
							t.Errorf("%s, %d hours: %v", now, hours, slots)
						}
						if !hour && !window && !usual || people > 1 && !window {
							t.Errorf("%s, %d people: %s is nothing that people choose", now, people, local)
						}
					}
				}
			}
		}
	}
}

// TestWhoIsAskedDecidesUntilTheDeadline: each way of answering, over the days that follow.
func TestWhoIsAskedDecidesUntilTheDeadline(t *testing.T) {
	const hour = time.Hour
	no := func(journal.Question, time.Time) (int, time.Duration) { return -1, rebootAsk }
	later := func(q journal.Question, _ time.Time) (int, time.Duration) {
		return kind(q, journal.ChooseLater), time.Minute
	}
	for name, c := range map[string]struct {
		answer   func(journal.Question, time.Time) (int, time.Duration)
		bend     func(*day)
		from, to time.Duration // of the reboot, after the first question
		asked    int           // at most
		chosen   bool
	}{
		// asked at noon, with 30 hours to decide: until six the next day, so it restarts in the
		// window at ten with an hour's notice.
		"nobody answers": {answer: no, from: 35 * hour, to: 35 * hour, asked: 30},
		"now": {answer: func(q journal.Question, _ time.Time) (int, time.Duration) {
			return kind(q, journal.ChooseNow), 2 * time.Minute
		},
			from: 2 * time.Minute, to: 2 * time.Minute, asked: 1, chosen: true},
		"in an hour": {answer: func(q journal.Question, _ time.Time) (int, time.Duration) {
			return kind(q, journal.ChooseSlot), 2 * time.Minute
		},
			from: hour, to: hour, asked: 1, chosen: true},
		"always later": {answer: later, from: 35 * hour, to: 35 * hour, asked: 26},
		"presents":     {answer: no, bend: func(d *day) { d.c.present.Presenting = patch.Yes }, from: 35 * hour, to: 35 * hour},
		"locked":       {answer: no, bend: func(d *day) { d.c.present.Locked = patch.Yes }, from: 35 * hour, to: 35 * hour},
		"nobody there": {answer: no, bend: func(d *day) { d.nobody() }, from: 10 * hour, to: 10 * hour},
		"two people": {answer: func(q journal.Question, _ time.Time) (int, time.Duration) {
			if kind(q, journal.ChooseNow) >= 0 {
				t.Error("one of two may restart the other's machine")
			}
			return kind(q, journal.ChooseSlot), time.Minute
		}, bend: func(d *day) { d.c.people = 2 }, from: 10 * hour, to: 10 * hour, asked: 1, chosen: true},
		"an answer that was not offered": {answer: func(q journal.Question, _ time.Time) (int, time.Duration) { return len(q.Choices) + 3, time.Minute },
			from: 35 * hour, to: 35 * hour, asked: 30},
		"late by days": {answer: func(q journal.Question, _ time.Time) (int, time.Duration) {
			return kind(q, journal.ChooseNow), 48 * hour
		},
			from: 35 * hour, to: 35 * hour, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDay(t, ask, nightly())
			d.answer = c.answer
			if c.bend != nil {
				c.bend(d)
			}
			d.lives(60 * time.Hour)
			if len(d.made) != 1 || d.made[0].Sub(sunday) < c.from || d.made[0].Sub(sunday) > c.to {
				t.Fatalf("restarted %v; asked %d times", d.made, len(d.asked))
			}
			if len(d.asked) > c.asked || c.asked > 0 && len(d.asked) == 0 {
				t.Errorf("asked %d times", len(d.asked))
			}
			if d.reboot.Made[0].Chosen != c.chosen {
				t.Errorf("counted as %+v", d.reboot.Made)
			}
			if wait := d.made[0].Sub(sunday); !c.chosen && wait > 20*hour && len(d.said) < 3 {
				t.Errorf("told %v", d.said)
			}
		})
	}
}

// TestPostponingEnds: whatever the limit, it is put off that often and no more, and the buttons
// say how often is left.
func TestPostponingEnds(t *testing.T) {
	for most := range 5 {
		reboots := ask
		reboots.Postpone, reboots.DeadlineHours = most, 72
		d := newDay(t, reboots, nightly())
		put := 0
		d.answer = func(q journal.Question, _ time.Time) (int, time.Duration) {
			i := kind(q, journal.ChooseLater)
			if i >= 0 {
				put++
			}
			return i, time.Minute
		}
		d.lives(60 * time.Hour)
		if put != most || d.reboot.Postponed != most || len(d.made) > 0 {
			t.Errorf("%d of %d times put off, restarted %v", put, most, d.made)
		}
	}
}

// TestAChosenMomentIsTheirsAlone: somebody else who is logged in by then is not restarted over,
// outside the window.
func TestAChosenMomentIsTheirsAlone(t *testing.T) {
	for _, people := range []int{0, 1, 2} {
		d := newDay(t, ask, nightly())
		d.answer = func(q journal.Question, _ time.Time) (int, time.Duration) {
			return kind(q, journal.ChooseSlot), time.Minute
		}
		d.lives(30 * time.Minute)
		if d.c.people = people; people == 0 {
			d.nobody()
		}
		d.lives(time.Hour)
		if (len(d.made) == 1) != (people < 2) {
			t.Errorf("%d people: restarted %v, told %q", people, d.made, d.texts)
		}
	}
}

// TestBatteryAndPower: nothing is begun on battery but what a person forced, and it is when there
// is power again.
func TestBatteryAndPower(t *testing.T) {
	for _, forced := range []bool{false, true} {
		d := newDay(t, inWindow, opened(-time.Hour, 9*time.Hour))
		d.c.present.Battery = patch.Yes
		if forced {
			d.jobs[0].Forced = "Ada"
		}
		d.lives(3 * time.Hour)
		if forced != (len(d.made) == 1) || !forced && !strings.Contains(d.jobs[0].Why, "battery") {
			t.Fatalf("forced %v: restarted %v; %s", forced, d.made, d.jobs[0].Why)
		}
		d.c.present.Battery = patch.No
		d.lives(3 * time.Hour)
		if len(d.made) != 1 {
			t.Errorf("with power: %v", d.made)
		}
	}
	d := newDay(t, inWindow, opened(-time.Hour, 9*time.Hour))
	d.lives(30 * time.Minute)
	d.c.present.Battery = patch.Yes // after it was announced
	d.lives(2 * time.Hour)
	if len(d.made) > 0 || len(d.said) != 4 || !strings.Contains(d.texts[3], "after all") {
		t.Errorf("restarted %v, told %q", d.made, d.texts)
	}
}

// needsReboot has every item ask for a reboot.
func (w *world) needsReboot() {
	w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
		w.machine.restart = wire.Restart{Machine: true}
		return provider.Outcome{Reboot: patch.Yes}, true, nil
	}
	w.reboot = func(context.Context) error { w.rebooting.Store(true); return nil }
}

// runs lets the world go by with its machine restarting when it is told to.
func (w *world) runs(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
		pass(time.Minute)
		if w.rebooting.Swap(false) {
			w.stop()
			w.boots()
			w.start()
		}
	}
}

// notes are the records of what people were told and asked, with their receipts checked.
func (w *world) notes() (all []wire.Notice) {
	w.t.Helper()
	for _, o := range w.server.told() {
		if o.Result != wire.ResultTold {
			continue
		}
		r := w.receipt(o)
		if r.Notice == nil || r.Verified || r.Step != wire.StepRebooting || r.Job != o.Job || r.Device != testDevice {
			w.t.Errorf("receipt %+v", r)
			continue
		}
		all = append(all, *r.Notice)
	}
	return all
}

// TestPeopleAreAskedAndItIsRecorded: the whole way through an agent, over restarts of it: each
// notice and question is a signed record that the server has.
func TestPeopleAreAskedAndItIsRecorded(t *testing.T) {
	for name, chooses := range map[string]func(*world, provider.Question) (int, error){
		"in an hour": func(_ *world, q provider.Question) (int, error) {
			return slices.IndexFunc(q.Choices, func(c string) bool { return strings.HasPrefix(c, "In an hour") }), nil
		},
		"now":             func(*world, provider.Question) (int, error) { return 0, nil },
		"cannot be shown": func(*world, provider.Question) (int, error) { return -1, errors.New("there is no desktop") },
	} {
		for _, restarted := range []bool{false, true} {
			inside(t, func(t *testing.T, w *world) {
				w.people = true
				w.needsReboot()
				w.chooses = func(q provider.Question) (int, error) { return chooses(w, q) }
				j := job("kernel", "6.0", "6.1")
				w.order(j)
				w.server.set(func(d *wire.DeviceOrders) {
					d.Reboots = &wire.Reboots{When: wire.RebootAsk, Postpone: 2, DeadlineHours: 10, Daily: 1}
				})
				w.start()
				for range 14 {
					w.runs(time.Hour)
					if restarted {
						w.stop()
						w.start()
					}
				}
				notes := w.notes()
				asked, told := 0, 0
				for _, n := range notes {
					if len(n.Choices) > 0 {
						asked++
						if (n.Answer == "") != (name == "cannot be shown") || (n.Problem == "") != (n.Answer != "") || n.User != "ann" {
							t.Errorf("%s: %+v", name, n)
						}
					} else if told++; n.Session != 1 || n.Problem != "" {
						t.Errorf("%s: %+v", name, n)
					}
				}
				if asked != len(w.asks) || told != len(w.notices) || asked == 0 {
					t.Errorf("%s: %d of %d questions and %d of %d notices are recorded", name, asked, len(w.asks), told, len(w.notices))
				}
				want := map[string]int{"in an hour": 2, "now": 0, "cannot be shown": 3}[name]
				if told != want || w.booted != 1 {
					t.Errorf("%s: told %q, restarted %d times", name, w.notices, w.booted)
				}
				if r := w.receipt(w.last(j)); !r.Verified {
					t.Errorf("%s: %+v", name, r)
				}
			})
		}
	}
}
