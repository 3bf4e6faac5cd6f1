package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/view"
	"patchbay/test/bed"
)

// patient is a Windows with the stand-in for its update engine, to which things happen.
type patient struct {
	*endpoint
	t       *testing.T // of all stories
	w       *bed.WindowsDevice
	site    string
	offers  bed.Updates
	granted map[string]int // what a person said yes to, by the update's ID: its revision
}

// fix is the nth update: one with a package of its own.
func fix(n int, change ...func(*bed.Update)) bed.Update {
	u := bed.Update{ID: fmt.Sprintf("0a5c1c9e-8b0b-4c3a-9d3e-%012d", n), Revision: 200, KBs: []string{fmt.Sprintf("50%05d", n)}, Severity: "Important",
		Title: fmt.Sprintf("Security Update for Windows 11 (KB50%05d)", n), Changed: time.Date(2024, 10, 8, 17, 0, 0, 0, time.UTC), Removable: true,
		Categories: []bed.Category{{ID: "0fa1201d-4330-4fa8-8ae9-b877473b6441", Type: "UpdateClassification", Name: "Security Updates"}},
		Packages:   []string{fmt.Sprintf("Package_for_KB50%05d~31bf3856ad364e35~amd64~~22631.1.1.0", n)}}
	for _, c := range change {
		c(&u)
	}
	return u
}

// month makes it one of Windows itself, which brings a build with a restart.
func month(build uint32) func(*bed.Update) {
	return func(u *bed.Update) {
		u.Title = fmt.Sprintf("2024-10 Cumulative Update for Windows 11 Version 23H2 for x64-based Systems (KB%s) (22631.%d)", u.KBs[0], build)
		u.UBR, u.Reboot, u.Restarts = build, 1, true
		u.Packages = []string{fmt.Sprintf("Package_for_RollupFix~31bf3856ad364e35~amd64~~22631.%d.1.10", build)}
	}
}

func newPatient(t *testing.T) *patient {
	in := install(t, "--check-in", "4s")
	p := &patient{t: t, w: bed.NewWindows(t, bed.WindowsOptions{Name: "patient"}), granted: map[string]int{}}
	p.w.Import(t, "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n"+
		"\"CurrentBuildNumber\"=\"22631\"\n\"CurrentBuild\"=\"22631\"\n\"UBR\"=dword:00000fa0\n")
	p.offers.Put(t, p.w)
	if err := p.w.CopyFile(bed.GoProgram(t, "patchbay/cmd/patchbay-agent"), windowsAgent); err != nil {
		t.Fatal(err)
	}
	p.site = in.site(in.customer("Acme"), "HQ", p.policy(always()))
	server, token := in.newToken(p.site)
	p.w.Must(t, windowsAgent, "enroll", "--server", server, "--token", token)
	p.endpoint = &endpoint{Device: &bed.Device{Name: "patient"}, in: in}
	p.begin()
	p.id = in.windowsDevice(p.site).ID
	return p
}

func (p *patient) policy(windows ...object) object {
	policy := byHand(windows...)
	policy["windows"] = append([]object{}, windows...)
	policy["beside"] = []string{"Windows Update (automatic)"}
	return policy
}

// begin starts the agent, which is no service here.
func (p *patient) begin() {
	run := p.w.Spawn(p.t, windowsAgent, "run", "--reconnect", "1s")
	p.agent = run
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.t.Logf("an agent said:\n%s", run.Output())
		}
	})
}

// ended waits until the agent that was begun last has ended.
func (p *patient) ended() {
	p.in.t.Helper()
	p.waitFor("until its agent has ended", func() bool {
		select {
		case <-p.agent.Done():
			return len(p.w.Running("patchbay-agent.exe")) == 0
		default:
			return false
		}
	})
}

// kill ends the agent at once.
func (p *patient) kill() {
	p.in.t.Helper()
	p.w.KillProgram("patchbay-agent.exe")
	p.ended()
}

// restart starts Windows anew, which finishes what waited for it.
func (p *patient) restart() {
	p.in.t.Helper()
	if err := p.w.Reboot(p.in.t.Context()); err != nil {
		p.in.t.Fatal(err)
	}
	p.begin()
}

// put makes the stand-in offer these besides, or as they are now.
func (p *patient) put(list ...bed.Update) {
	p.in.t.Helper()
	for _, u := range list {
		if i := slices.IndexFunc(p.offers.List, func(o bed.Update) bool { return o.ID == u.ID }); i >= 0 {
			p.offers.List[i] = u
		} else {
			p.offers.List = append(p.offers.List, u)
		}
	}
	p.offers.Put(p.in.t, p.w)
}

// need is the need of an update by its number, once there is one.
func (p *patient) need(u bed.Update) (n view.Need) {
	p.in.t.Helper()
	p.seek("until KB"+u.KBs[0]+" is told of", func() bool {
		for name, one := range p.needs() {
			if strings.HasPrefix(name, "KB"+u.KBs[0]+" (") {
				n = one
				return true
			}
		}
		return false
	})
	return n
}

// seek waits as waitFor does, and has the device looked at anew now and then.
func (p *patient) seek(what string, holds func() bool) {
	p.in.t.Helper()
	var asked time.Time
	p.waitFor(what, func() bool {
		if holds() {
			return true
		}
		if time.Since(asked) > 20*time.Second {
			p.scan()
			asked = time.Now()
		}
		return false
	})
}

// becomes waits for an update's verdict, with these words in its sentence.
func (p *patient) becomes(u bed.Update, verdict string, words ...string) {
	p.in.t.Helper()
	var n view.Need
	p.seek("for KB"+u.KBs[0]+" to be "+verdict, func() bool {
		n = p.need(u)
		return string(n.Verdict.Name) == verdict
	})
	says(p.in.t, n, words...)
}

// grants says yes to updates as they are on offer now.
func (p *patient) grants(list ...bed.Update) {
	p.in.t.Helper()
	for _, u := range list {
		p.approve(p.need(u).Item.Name, false)
		p.granted[u.ID] = u.Revision
	}
}

// source is what the device says of Windows Update as a source.
func (p *patient) source() patch.Source {
	p.in.t.Helper()
	for _, s := range call[view.DeviceDetail](p.in, "GET", "/devices/"+p.id, nil).Sources {
		if s.Provider == "winupdate" {
			return s
		}
	}
	return patch.Source{}
}

// build is the number of the build that the registry names.
func (p *patient) build() uint64 {
	p.in.t.Helper()
	const key = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	r, err := p.w.Registry(p.in.t.Context(), key)
	if err != nil {
		p.in.t.Fatal(err)
	}
	k, err := r.Registry(key, provider.View64)
	if err != nil {
		p.in.t.Fatal(err)
	}
	return k.Values["UBR"].Number
}

// TestWindowsUpdatesInTrouble plays what can happen to updates of Windows, one thing after the
// other on one machine, and holds each verdict to what the stand-in for the engine did. Never
// is more installed than was approved, and nothing twice.
func TestWindowsUpdatesInTrouble(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	for _, story := range []struct {
		name string
		play func(*patient)
	}{
		{"several at once", severalAtOnce}, {"the restart is cut", cutRestart}, {"the agent is killed", killedInside}, {"the engine crashes", crashedInside},
		{"changed before the window", changedBefore}, {"stuck and mended", stuckAndMended}, {"stuck for good", stuckForGood},
	} {
		t.Run(story.name, func(t *testing.T) {
			began := time.Now()
			p.in = p.in.with(t)
			story.play(p)
			t.Logf("%s took %s", story.name, time.Since(began).Round(time.Second))
		})
	}
	p.in = p.in.with(t)
	done := map[string]int{}
	for _, h := range p.w.EngineHistory(t) {
		if h.Removal || h.Result != 2 {
			continue
		}
		if done[h.ID]++; p.granted[h.ID] != h.Revision || done[h.ID] > 1 {
			t.Errorf("installed: %+v, the time number %d; approved was revision %d", h, done[h.ID], p.granted[h.ID])
		}
	}
	if len(done) < 7 {
		t.Errorf("only %d updates were installed", len(done))
	}
}

func severalAtOnce(p *patient) {
	good, licensed, idle := fix(1), fix(2, func(u *bed.Update) { u.Licence = "You agree." }), fix(3)
	fails := fix(4, func(u *bed.Update) { u.InstallFails = 0x80070643 })
	lies := fix(5, month(9999), func(u *bed.Update) { u.Misdeed, u.Reboot, u.Restarts = bed.Lies, 0, false })
	p.put(good, licensed, idle, fails, lies)
	p.grants(good, licensed, fails, lies)
	p.becomes(good, "VERIFIED")
	p.becomes(licensed, "VERIFIED")
	p.becomes(fails, "FAILED", "0x80070643", "met an error it does not name")
	p.becomes(lies, "DISPUTED", "says that it is installed, but the build is 22631.4000")
	p.becomes(idle, "WAITS_DECISION")
	if b := p.build(); b != 4000 {
		p.in.t.Errorf("the build is %d", b)
	}
	p.offers.List = slices.DeleteFunc(p.offers.List, func(u bed.Update) bool { return u.ID == fails.ID })
	p.put()
}

// A restart that is cut off is finished by the next one; meanwhile nothing is told that the
// registry does not show.
func cutRestart(p *patient) {
	u := fix(10, month(4317))
	p.put(u)
	p.grants(u)
	p.becomes(u, "INSTALLED_PENDING_REBOOT", "reboot")
	if err := p.w.Stop(); err != nil {
		p.in.t.Fatal(err)
	}
	if err := p.w.StartCut(p.in.t.Context()); err != nil {
		p.in.t.Fatal(err)
	}
	if err := p.w.Start(p.in.t.Context()); err != nil {
		p.in.t.Fatal(err)
	}
	p.begin()
	p.seek("for a verdict after the cut that is so", func() bool {
		verdict := p.need(u).Verdict.Name
		done := p.build() == 4317
		if verdict == "VERIFIED" && !done {
			p.in.t.Fatal("it is verified, and the build is the old one")
		}
		return done == (verdict == "VERIFIED")
	})
	if p.build() != 4317 {
		p.restart()
	}
	p.becomes(u, "VERIFIED")
}

func killedInside(p *patient) {
	u := fix(20, func(u *bed.Update) { u.Misdeed = bed.Hangs })
	p.put(u)
	p.grants(u)
	if err := p.w.WaitFile(p.in.t.Context(), bed.HangStarted); err != nil {
		p.in.t.Fatal(err)
	}
	p.kill()
	if err := p.w.PutFile(bed.HangRelease, ""); err != nil {
		p.in.t.Fatal(err)
	}
	p.begin()
	p.becomes(u, "VERIFIED")
}

// The engine's crash takes the agent with it, for it is a library there. What was begun is
// taken up again, and given up when it ends so each time.
func crashedInside(p *patient) {
	once, always := fix(30, func(u *bed.Update) { u.Misdeed = bed.CrashesOnce }), fix(31, func(u *bed.Update) { u.Misdeed = bed.Crashes })
	p.put(once)
	p.grants(once)
	p.ended()
	p.begin()
	p.becomes(once, "VERIFIED")
	p.put(always)
	p.grants(always)
	for range 3 { // the third does not try again
		p.ended()
		p.begin()
	}
	p.becomes(always, "FAILED", "stopped each time")
	p.offers.List = slices.DeleteFunc(p.offers.List, func(u bed.Update) bool { return u.ID == always.ID })
	p.put()
}

// What was approved and is another thing when the window opens is not installed.
func changedBefore(p *patient) {
	old, revised, withdrawn, stays := fix(40), fix(41), fix(42), fix(43)
	p.put(old, revised, withdrawn, stays)
	for _, u := range []bed.Update{old, revised, withdrawn, stays} {
		p.need(u)
	}
	p.in.changePolicy(p.site, p.policy())
	p.grants(old, revised, withdrawn, stays)
	for _, u := range []bed.Update{old, revised, withdrawn, stays} {
		p.becomes(u, "WAITS_WINDOW")
	}
	next := fix(44, func(u *bed.Update) { u.Supersedes = []string{old.ID} })
	revised.Revision = 201
	p.offers.List = slices.DeleteFunc(p.offers.List, func(u bed.Update) bool { return u.ID == withdrawn.ID })
	p.put(next, revised)
	p.scan()
	p.becomes(withdrawn, "WITHDRAWN")
	p.becomes(next, "WAITS_DECISION")
	p.seek("until the old one is told as superseded", func() bool { // which is told only to whoever asks for it
		all := call[view.Page[view.Need]](p.in, "GET", "/needs?limit=500&verdict=SUPERSEDED&device="+p.id, nil).Items
		return slices.ContainsFunc(all, func(n view.Need) bool {
			return strings.HasPrefix(n.Item.Name, "KB5000040 (") && strings.Contains(n.Verdict.Sentence, "KB5000044") && strings.Contains(n.Verdict.Sentence, "took its place")
		})
	})
	p.in.changePolicy(p.site, p.policy(always()))
	p.becomes(stays, "VERIFIED")
	p.seek("until the newer revision waits for a person", func() bool {
		n := p.need(revised)
		return n.Available == "201" && n.Verdict.Name == "WAITS_DECISION"
	})
	for _, u := range []bed.Update{old, revised, withdrawn, next} {
		if s := p.w.EngineState(p.in.t, u.ID); s["installed"] == "1" {
			p.in.t.Errorf("KB%s was installed", u.KBs[0])
		}
	}
}

// stuck makes searches fail for a reason that a repair helps against, outside of any window.
func (p *patient) stuck() {
	p.in.changePolicy(p.site, p.policy())
	p.offers.SearchFails = 0x80073712
	p.put()
	p.seek("until it says why it cannot search", func() bool { return strings.Contains(p.source().Error, "0x80073712") })
	if e := p.source().Error; !strings.Contains(e, "The component store is damaged") || !strings.Contains(e, "Repair the component store") {
		p.in.t.Errorf("it says %q", e)
	}
}

func stuckAndMended(p *patient) {
	p.stuck()
	if ran := p.w.Repairs(p.in.t); len(ran) > 0 {
		p.in.t.Errorf("repaired outside of the window: %q", ran)
	}
	p.offers.SearchFails = 0
	p.offers.PutMended(p.in.t, p.w)
	p.in.changePolicy(p.site, p.policy(always()))
	p.waitFor("until it searches again", func() bool { return p.source().Error == "" })
	if ran := p.w.Repairs(p.in.t); len(ran) != 1 || ran[0] != "/online /cleanup-image /restorehealth /norestart" {
		p.in.t.Errorf("ran %q", ran)
	}
}

// stuckForGood: three repairs, a day apart, and then a person is told to look.
func stuckForGood(p *patient) {
	before := len(p.w.Repairs(p.in.t))
	p.stuck()
	p.in.changePolicy(p.site, p.policy(always()))
	for try := 1; try <= 4; try++ {
		p.kill()
		p.dayPasses()
		p.begin()
		p.seek("for what the next day brings", func() bool {
			if ran := len(p.w.Repairs(p.in.t)) - before; ran > 3 {
				p.in.t.Fatalf("repaired %d times", ran)
			} else if try <= 3 {
				return ran == try
			}
			return strings.Contains(p.source().Error, "a person has to look")
		})
	}
	if e := p.source().Error; !strings.Contains(e, "0x80073712") || !strings.Contains(e, "tried 3 times") {
		p.in.t.Errorf("it says %q", e)
	}
}

// dayPasses makes the last repair a day older, while no agent runs.
func (p *patient) dayPasses() {
	p.in.t.Helper()
	const name = windowsState + `\winupdate.json`
	text, err := p.w.ReadFile(name)
	if err != nil {
		p.in.t.Fatal(err)
	}
	var record map[string]any
	decode(p.in.t, string(text), &record)
	if at, ok := record["repaired"].(string); ok {
		repaired, err := time.Parse(time.RFC3339, at)
		if err != nil {
			p.in.t.Fatal(err)
		}
		record["repaired"] = repaired.Add(-25 * time.Hour)
	}
	changed, err := json.Marshal(record)
	if err == nil {
		err = p.w.PutFile(name, string(changed))
	}
	if err != nil {
		p.in.t.Fatal(err)
	}
}
