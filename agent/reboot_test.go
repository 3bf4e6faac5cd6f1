package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/window"
	"patchbay/wire"
)

// day is a machine in Berlin, the minutes it lives through, and who is at it. The planner is asked
// as the agent does: when a job's time to look again has come, and whenever something changes.
type day struct {
	t      complainer
	c      rebootCase
	jobs   []journal.Job
	reboot journal.Reboot
	boots  int
	said   []time.Time // notices
	texts  []string
	asked  []journal.Question
	made   []time.Time
	answer func(journal.Question, time.Time) (int, time.Duration) // and after how long; -1 gives none
	due    time.Time                                              // of the answer that comes
	said1  rebootAnswer
}

type complainer interface {
	Helper()
	Errorf(format string, args ...any)
}

var sunday = time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC) // noon in Berlin

func newDay(t complainer, reboots wire.Reboots, windows window.Spec, jobs ...journal.Job) *day {
	if len(jobs) == 0 {
		jobs = []journal.Job{waitsForReboot("job_1", "apt")}
	}
	s := newSituation(sunday, true, false, wire.DeviceOrders{Device: testDevice, Reboots: &reboots, Windows: windows})
	r := inventory.Report{Facts: wire.Facts{Zone: "Europe/Berlin", BootID: "boot-1"}}
	return &day{t: t, jobs: jobs, boots: 1, c: rebootCase{situation: s, mode: wire.Manage, report: r, zone: zoneOf(r.Facts, s.device), people: 1, present: wire.Presence{LoggedIn: patch.Yes}}}
}

func waitsForReboot(id, provider string) journal.Job {
	return journal.Job{Job: wire.Job{ID: id, NotAfter: sunday.Add(14 * 24 * time.Hour), Target: wire.Target{Provider: provider}}, Step: wire.StepRebooting, Reboot: patch.Yes, BootBefore: "boot-1"}
}

// nobody is a machine at which nobody is logged in.
func (d *day) nobody() *day {
	d.c.present, d.c.people = wire.Presence{LoggedIn: patch.No}, 0
	return d
}

// lives lets the day go by, minute by minute.
func (d *day) lives(length time.Duration) {
	d.t.Helper()
	for end := d.c.now.Add(length); d.c.now.Before(end); d.c.now = d.c.now.Add(time.Minute) {
		d.look()
	}
}

// look is one pass of the worker.
func (d *day) look() {
	d.t.Helper()
	if d.reboot.Asked != nil && !d.c.now.Before(d.due) {
		d.reboot = answered(d.reboot, d.said1, d.c.now)
	}
	standing := slices.DeleteFunc(slices.Clone(d.jobs), func(j journal.Job) bool { return j.Step != wire.StepRebooting })
	before := d.reboot
	p := planReboot(d.c, standing, d.reboot)
	for _, j := range p.change.Jobs {
		i := slices.IndexFunc(d.jobs, func(o journal.Job) bool { return o.ID == j.ID })
		d.jobs[i] = j
	}
	if p.change.Reboot != nil {
		d.reboot = *p.change.Reboot
	}
	d.reboot.Telling = nil
	if p.say != "" {
		d.said, d.texts = append(d.said, d.c.now), append(d.texts, p.say)
	}
	if p.ask {
		d.asked = append(d.asked, *d.reboot.Asked)
		d.due, d.said1 = d.c.now.Add(rebootAsk), rebootAnswer{choice: -1}
		if d.answer != nil {
			choice, after := d.answer(*d.reboot.Asked, d.c.now)
			d.due, d.said1 = d.c.now.Add(after), rebootAnswer{choice: choice}
		}
	}
	if p.now {
		d.check(before)
		d.boots++
		d.c.report.Facts.BootID = fmt.Sprint("boot-", d.boots)
		d.made = append(d.made, d.c.now)
		for i := range d.jobs {
			if d.jobs[i].Rebooted {
				d.jobs[i].Step = wire.StepDone
			}
		}
	}
}

// check holds what no reboot may break.
func (d *day) check(before journal.Reboot) {
	d.t.Helper()
	policy, forced := d.c.device.Rebooting(), slices.ContainsFunc(d.jobs, isForced)
	switch {
	case policy.When == wire.RebootNever:
		d.t.Errorf("%s: restarted, which is never allowed", d.c.now)
	case !d.c.window().Open && !forced && !(before.Chosen && d.c.alone()):
		d.t.Errorf("%s: restarted outside the window", d.c.now)
	case d.c.present.Battery == patch.Yes && !forced:
		d.t.Errorf("%s: restarted on battery", d.c.now)
	case policy.Daily > 0 && !forced && !before.Chosen && before.MadeOn(d.c.day(d.c.now), d.c.zone, "") >= policy.Daily:
		d.t.Errorf("%s: restarted too often: %+v", d.c.now, before.Made)
	}
}

// again has another job ask for a reboot.
func (d *day) again(id string) {
	j := waitsForReboot(id, "apt")
	j.NotAfter, j.BootBefore = d.c.now.Add(14*24*time.Hour), d.c.report.Facts.BootID
	d.jobs = append(d.jobs, j)
}

func opened(from, until time.Duration) window.Spec {
	return window.Spec{Opens: []window.Span{{From: sunday.Add(from), Until: sunday.Add(until), Reason: "test"}}}
}

func nightly() window.Spec {
	return window.Spec{Weekly: []window.Weekly{{Zone: "Europe/Berlin", Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, Start: "22:00", Minutes: 240}}}
}

var (
	inWindow = wire.Reboots{When: wire.RebootWindow, Daily: 2}
	ask      = wire.Reboots{When: wire.RebootAsk, Postpone: 2, DeadlineHours: 30, Daily: 2}
)

// TestPeopleAreToldBeforeAReboot: 60, 15 and 5 minutes before where the window leaves that much,
// once each; less where it leaves less; and nobody is told nothing.
func TestPeopleAreToldBeforeAReboot(t *testing.T) {
	for name, c := range map[string]struct {
		left   time.Duration // of the window
		after  time.Duration // until the reboot; -1 is none
		before []time.Duration
		forced bool
		nobody bool
	}{
		"a long window":     {left: 4 * time.Hour, after: time.Hour, before: []time.Duration{time.Hour, 15 * time.Minute, 5 * time.Minute}},
		"an hour":           {left: time.Hour, after: 15 * time.Minute, before: []time.Duration{15 * time.Minute, 5 * time.Minute}},
		"ten minutes":       {left: 10 * time.Minute, after: 5 * time.Minute, before: []time.Duration{5 * time.Minute}},
		"four minutes":      {left: 4 * time.Minute, after: 3 * time.Minute, before: []time.Duration{3 * time.Minute}},
		"too little":        {left: 90 * time.Second, after: -1},
		"nobody there":      {left: time.Hour, nobody: true},
		"nobody, and short": {left: time.Minute, nobody: true},
		"forced, and shut":  {after: 5 * time.Minute, before: []time.Duration{5 * time.Minute}, forced: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDay(t, inWindow, opened(-time.Hour, c.left))
			if c.nobody {
				d.nobody()
			}
			if c.forced {
				d.jobs[0].Forced = "Ada"
			}
			d.lives(6 * time.Hour)
			if c.after < 0 {
				if len(d.made)+len(d.said) > 0 || d.jobs[0].Step != wire.StepVerifying {
					t.Fatalf("told %v, restarted %v, the job is %s", d.said, d.made, d.jobs[0].Step)
				}
				return
			}
			if len(d.made) != 1 || d.made[0].Sub(sunday) != c.after {
				t.Fatalf("restarted %v", d.made)
			}
			var before []time.Duration
			for _, at := range d.said {
				before = append(before, d.made[0].Sub(at))
			}
			if !slices.Equal(before, c.before) {
				t.Errorf("told %v before", before)
			}
		})
	}
}

// TestMissedNoticesAreNotGivenLate stops the agent for each stretch of minutes of an hour's notice:
// no notice comes twice or late, and nobody is restarted without one in the last minutes.
func TestMissedNoticesAreNotGivenLate(t *testing.T) {
	for from := 1; from <= 70; from++ {
		for length := 1; length <= 90; length += 3 {
			d := newDay(t, inWindow, opened(-time.Hour, 6*time.Hour))
			d.lives(time.Duration(from) * time.Minute)
			d.c.now = d.c.now.Add(time.Duration(length) * time.Minute) // the agent is down
			d.lives(5 * time.Hour)
			if len(d.made) != 1 {
				t.Fatalf("down from %d for %d: restarted %v", from, length, d.made)
			}
			last := time.Duration(24 * time.Hour)
			for i, at := range d.said {
				if i > 0 && at.Sub(d.said[i-1]) < 5*time.Minute-noticeLate {
					t.Errorf("down from %d for %d: told at %v", from, length, d.said)
				}
				last = d.made[0].Sub(at)
			}
			if last > 2*noticeTime || last < 5*time.Minute-noticeLate {
				t.Errorf("down from %d for %d: the last notice was %s before", from, length, last)
			}
		}
	}
}

// TestNoticesOverEveryMinute: whatever was told before, each minute of the last two hours gives at
// most one notice, none late, and names a later moment to look again or the reboot's.
func TestNoticesOverEveryMinute(t *testing.T) {
	at := sunday.Add(2 * time.Hour)
	for left := 2 * time.Hour; left > 0; left -= 10 * time.Second {
		now := at.Add(-left)
		for _, told := range append(notices(), 0) {
			due := dueNotice(at, now, told)
			if due > 0 && (left > due || left <= due-noticeLate || told > 0 && due >= told) {
				t.Errorf("%s before, told %s: %s is due", left, told, due)
			}
			if next := nextNotice(at, now, told); !next.After(now) || next.After(at) {
				t.Errorf("%s before, told %s: next at %s", left, told, next)
			}
		}
		if first := firstNotice(at, now); (first == 0) != (left > time.Hour) || first > 0 && left > first {
			t.Errorf("%s before: first %s", left, first)
		}
	}
}

// TestTheClockIsSet: a moment that nobody can have been told of is announced anew.
func TestTheClockIsSet(t *testing.T) {
	for _, jump := range []time.Duration{-48 * time.Hour, -2 * time.Hour, 20 * time.Hour} {
		d := newDay(t, inWindow, opened(-100*time.Hour, 100*time.Hour))
		d.lives(10 * time.Minute)
		d.c.now = d.c.now.Add(jump)
		set := d.c.now
		d.lives(3 * time.Hour)
		if len(d.made) != 1 || d.made[0].Sub(set) > time.Hour || d.made[0].Sub(set) < noticeTime {
			t.Errorf("set by %s: restarted %v, told %v", jump, d.made, d.said)
		}
	}
}

// TestRebootsOfAllAreOne: whatever asks for a reboot, of whichever provider, and whenever it came
// while the first one waited, is one reboot, and is counted as one.
func TestRebootsOfAllAreOne(t *testing.T) {
	for _, pair := range [][]string{{"apt", "fwupd"}, {"winupdate", "winget"}, {"winupdate", "winget", "fwupd", "apt"}} {
		for late := range 3 { // hours after which the second came
			for _, people := range []bool{true, false} {
				var jobs []journal.Job
				for i, p := range pair {
					jobs = append(jobs, waitsForReboot(fmt.Sprint("job_", i), p))
				}
				d := newDay(t, inWindow, opened(5*time.Hour, 9*time.Hour), jobs[0])
				if !people {
					d.nobody()
				}
				d.lives(time.Duration(late)*2*time.Hour - 30*time.Minute)
				d.jobs = append(d.jobs, jobs[1:]...)
				d.lives(12 * time.Hour)
				if len(d.made) != 1 || len(d.reboot.Made) != 1 {
					t.Errorf("%v, %d hours late: restarted %v, counted %+v", pair, 2*late, d.made, d.reboot.Made)
				}
				for _, j := range d.jobs {
					if j.Step != wire.StepDone {
						t.Errorf("%v: %s is %s", pair, j.ID, j.Step)
					}
				}
			}
		}
	}
}

// TestRebootsBeyondTheLimitWait: enumerated over limits and how many ask for one on a day, in the
// zone of the device.
func TestRebootsBeyondTheLimitWait(t *testing.T) {
	for limit := range 4 {
		for asks := 1; asks <= 5; asks++ {
			for _, forced := range []bool{false, true} {
				reboots := inWindow
				reboots.Daily = limit
				d := newDay(t, reboots, opened(-100*time.Hour, 400*time.Hour)).nobody()
				for i := range asks {
					if i > 0 {
						d.again(fmt.Sprint("job_more_", i))
					}
					if forced {
						d.jobs[len(d.jobs)-1].Forced = "Ada"
					}
					d.lives(10 * time.Minute)
				}
				today := asks
				if limit > 0 && !forced {
					today = min(asks, limit)
				}
				if len(d.made) != today {
					t.Errorf("limit %d, asked %d times, forced %v: %d today", limit, asks, forced, len(d.made))
				}
				if today < asks && !strings.Contains(d.jobs[len(d.jobs)-1].Why, "It waits for tomorrow.") {
					t.Errorf("it says %q", d.jobs[len(d.jobs)-1].Why)
				}
				d.lives(36 * time.Hour)
				merged := today
				if today < asks {
					merged++ // all that waited are one
				}
				if len(d.made) != merged || today < asks && d.c.day(d.made[today]) != "2026-03-02" {
					t.Errorf("limit %d, asked %d times, forced %v: %v", limit, asks, forced, d.made)
				}
			}
		}
	}
}

// TestNeverMoreThanTheLimit: over random weeks, with people who come, go, force and choose, no
// local day has a reboot by itself beyond the limit, and none is outside the window.
func TestNeverMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		reboots := wire.Reboots{When: rapid.SampledFrom([]wire.RebootWhen{wire.RebootWindow, wire.RebootAsk}).Draw(r, "when"),
			Postpone: rapid.IntRange(0, 3).Draw(r, "postpone"), DeadlineHours: rapid.IntRange(1, 60).Draw(r, "deadline"), Daily: rapid.IntRange(0, 3).Draw(r, "daily")}
		d := newDay(r, reboots, nightly())
		d.answer = func(q journal.Question, _ time.Time) (int, time.Duration) {
			return rapid.IntRange(-1, len(q.Choices)-1).Draw(r, "choice"), time.Duration(rapid.IntRange(0, 15).Draw(r, "minutes")) * time.Minute
		}
		d.c.report.Facts.Zone = rapid.SampledFrom([]string{"Europe/Berlin", "Pacific/Auckland", "America/New_York", ""}).Draw(r, "zone")
		d.c.zone = zoneOf(d.c.report.Facts, d.c.device)
		d.c.now = time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC) // the clocks change
		for i := range 12 {
			answers := []patch.Answer{patch.Unknown, patch.Yes, patch.No}
			d.c.present = wire.Presence{LoggedIn: rapid.SampledFrom(answers).Draw(r, "there"), Battery: rapid.SampledFrom(answers).Draw(r, "battery"),
				Locked: rapid.SampledFrom(answers).Draw(r, "locked"), Presenting: rapid.SampledFrom(answers).Draw(r, "presenting")}
			if d.c.people = rapid.IntRange(1, 2).Draw(r, "people"); d.c.present.LoggedIn == patch.No {
				d.c.people = 0
			}
			if rapid.Bool().Draw(r, "another") {
				d.again(fmt.Sprint("job_more_", i))
				if rapid.IntRange(0, 9).Draw(r, "forced") == 0 {
					d.jobs[len(d.jobs)-1].Forced = "Ada"
				}
			}
			d.lives(time.Duration(rapid.IntRange(1, 18).Draw(r, "hours")) * time.Hour)
		}
	})
}
