package years

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"time"

	"patchbay/agent"
	"patchbay/agent/enroll"
	"patchbay/agent/identity"
	"patchbay/wire"
)

// device is a machine with its agent, life after life.
type device struct {
	w       *world
	name    string
	machine *machine
	disk    *memory
	wires   *wires
	token   string

	agent, id string        // as the server named them
	life      *life         // nil while it is off
	off       time.Duration // its clock minus the time
	leapt     bool          // since it last heard the server, so that it cannot know
	jumped    time.Time     // when its clock last leapt
	lost      time.Time     // until then its network is down
	down      time.Duration // how long it stays off after the present life

	acked   int64 // the highest number the server acknowledged to it
	told    map[int64]string
	written map[int64]wire.Outcome // what was durable on its disk at one time
	heard   time.Time              // when the server last answered it
	replies [][]byte               // some from before
	asking  int                    // questions on their way
}

func newDevice(w *world, name string) *device {
	d := &device{w: w, name: name, wires: newWires(), disk: newMemory(), told: map[int64]string{}, written: map[int64]wire.Outcome{}}
	d.machine = newMachine(d)
	d.disk.durable = d.remembers
	return d
}

// now is what its clock shows.
func (d *device) now() time.Time { return time.Now().Round(0).Add(d.off) }

// life is one process of the agent.
type life struct {
	d      *device
	disk   *memory
	dead   chan struct{}
	cancel context.CancelFunc
	rested bool // the loops have come to rest once
	power  bool // the machine goes down with it
}

func (l *life) isDead() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// end ends the life at once, as kill -9 or a power cut. The caller has the turn.
func (l *life) end(power bool) {
	if l.isDead() {
		return
	}
	l.power = power
	close(l.dead)
	l.d.machine.interrupted()
	l.d.wires.cut()
	l.cancel()
}

// hangUp breaks the connections that nobody waits at; the others break when it is the
// question's turn.
func (d *device) hangUp() {
	if d.asking == 0 {
		d.wires.cut()
	}
}

// kill ends the life from outside, if there is one; the machine stays off for a while.
func (d *device) kill(power bool, down time.Duration) bool {
	if d.life == nil || d.life.isDead() {
		return false
	}
	d.down = down
	d.life.disk.stop()
	d.life.end(power)
	return true
}

// actor is the name in which one of the agent's loops takes turns.
func (l *life) actor(loop string) string { return l.d.name + "/" + loop }

// settled lets the loops of a new agent come to rest before the first of them goes on.
func (l *life) settled() {
	if l.rested {
		return
	}
	l.rested = true
	l.d.w.stage.leave(l.actor("worker"))
	l.d.w.stage.enter(l.actor("worker"), l.dead)
}

// sleep is a while of a loop in which others act. It is false when the life ended.
func (l *life) sleep(loop string, d time.Duration) bool {
	l.d.w.stage.leave(l.actor(loop))
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.dead:
		return false
	}
	return l.d.w.stage.enter(l.actor(loop), l.dead)
}

// rest is the agent's Sleep.
func (l *life) rest(ctx context.Context, d time.Duration) {
	name := l.actor(loopOf())
	l.d.w.stage.leave(name)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	if !l.isDead() {
		l.d.w.stage.enter(name, l.dead)
	}
}

// loopOf tells which of the agent's loops calls.
func loopOf() string {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		f, more := frames.Next()
		for _, loop := range []string{"Worker", "Talker", "Listener"} {
			if strings.HasSuffix(f.Function, ".run"+loop) {
				return strings.ToLower(loop)
			}
		}
		if !more {
			panic("nobody who is known sleeps")
		}
	}
}

// run is the device's actor: it enrols, then lives one life after the other.
func (d *device) run(string) {
	for !d.enroll() {
		if d.w.over {
			return
		}
		d.w.stage.sleep(d.name, 10*time.Minute)
	}
	for !d.w.over {
		l := &life{d: d, disk: d.disk, dead: make(chan struct{})}
		ended := d.begin(l)
		if ended != nil {
			<-ended
			d.w.stage.inherit(d.name)
		}
		d.life = nil
		d.disk = d.disk.revive()
		if l.power {
			d.machine.boot()
		}
		wait := max(d.down, time.Second)
		d.down = 0
		if !d.w.over {
			d.w.stage.sleep(d.name, wait)
		}
	}
}

func (d *device) enroll() bool {
	d.w.chanceAnew()
	d.disk.cut = func(how) {}
	keys := identity.SoftKey{Dir: d.disk}
	id, err := enroll.Run(context.Background(), enroll.Options{Server: agentURL, Token: d.token, Mode: wire.Manage,
		Capabilities: agent.Capabilities(wire.Manage), Disk: d.disk, Keys: keys, Now: d.now, Dial: d.dialer(nil), Replace: true,
		Facts: wire.Facts{Hostname: d.name, BootID: d.machine.bootID()}})
	if err != nil {
		d.w.note("%s: enrolling: %v", d.name, err)
		return false
	}
	d.agent, d.id = id.Agent, id.Device
	return true
}

// begin starts an agent on what the disk holds. It is nil when the agent did not get that
// far.
func (d *device) begin(l *life) chan struct{} {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	d.life = l
	l.disk.cut = func(h how) {
		d.w.note("%s: ends %s", d.name, h)
		d.down = time.Duration(1+d.w.pick(600)) * time.Second
		l.end(h == torn || h == unsynced)
	}
	chance := rand.New(rand.NewPCG(d.w.seed, uint64(d.w.pick(1<<30))))
	a, err := agent.New(agent.Options{Now: d.now, Sleep: l.rest, Build: "test", Disk: l.disk, Keys: identity.SoftKey{Dir: l.disk}, Kinds: d.machine.kinds(l),
		Facts: func(context.Context) (wire.Facts, error) { return d.machine.facts(l) }, Dial: d.dialer(l), Reboot: func(context.Context) error { return l.reboot() },
		Tidy: func() {}, Random: chance.Float64, BootID: d.machine.bootID, Log: slog.New(slog.NewTextHandler(d.w.logs(d.name), nil))})
	if err != nil {
		cancel()
		if !errors.Is(err, errCut) && !errors.Is(err, errFull) {
			d.w.broke("%s: the agent does not start: %v", d.name, err)
		}
		if !l.isDead() {
			d.down = 10 * time.Minute
			l.end(false)
		}
		return nil
	}
	d.w.note("%s: the agent starts, %s", d.name, d.machine.bootID())
	ended := make(chan struct{})
	d.w.stage.pass(l.actor("worker"))
	go func() {
		defer close(ended)
		if err := a.Run(ctx); err != nil && !errors.Is(err, errCut) && !errors.Is(err, errFull) {
			d.w.broke("%s: the agent ended: %v", d.name, err)
		}
		if !l.isDead() { // it could not go on by itself
			close(l.dead)
			d.down = 10 * time.Minute
		}
		_ = a.Close() // of a dead one
	}()
	return ended
}

// reboot is what the agent asks of its machine.
func (l *life) reboot() error {
	d := l.d
	if l.isDead() {
		return errDead
	}
	d.w.oracle.reboots(l)
	if time.Now().Before(d.machine.stubborn) {
		return nil
	}
	d.w.stage.actor(d.name+" restarts ", func(name string) {
		d.w.stage.sleep(name, time.Duration(1+d.w.pick(90))*time.Second)
		if d.life == l {
			d.w.note("%s: the machine restarts", d.name)
			d.kill(true, time.Duration(20+d.w.pick(300))*time.Second)
		}
	})
	return nil
}

// dialer is the way to the server in one life.
func (d *device) dialer(l *life) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if l != nil && l.isDead() || d.w.server.core == nil || time.Now().Before(d.lost) {
			return nil, errRefused
		}
		return d.wires.dial(ctx)
	}
}
