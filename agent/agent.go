// Package agent is the program on a device: it reads the device, tells the server, takes
// signed orders, and runs their jobs step by step.
//
// Three loops share the work. The worker scans and runs jobs; the talker checks in, and is
// the only one that hears the server; the listener waits for the server's call and wakes
// the talker. What must outlive a power cut is in the journal before it is acted on.
//
// The server may select what runs here and never author it: a job names a provider, an item
// and a version, and the provider's own package manager installs what its own verifier
// accepts. Windows, expiry, signatures and the mode are checked here, also when offline.
package agent

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/agent/content"
	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/agent/link"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// Options are what an agent is made of.
type Options struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) // until then, or until the context ends
	Log   *slog.Logger
	Build string // the program's version

	Disk disk.Dir
	Keys identity.KeyStore
	// Records keeps what providers remember. nil is Disk, like all else.
	Records provider.Records

	Host  provider.Host
	Kinds []provider.Kind
	// Files is where the files lie that providers install from. nil keeps none, and providers
	// have no way to them.
	Files content.Folder
	// Content gives providers those files. nil gives them from Files, and from the server.
	Content provider.Content
	Facts   func(context.Context) (wire.Facts, error)

	// Catalog gives a provider what the publisher signed for. nil gives what the agent believes.
	Catalog func(kind string) provider.Catalog
	// Wishes gives a provider what is wanted of its programs. nil gives what the orders say.
	Wishes func(kind string) []patch.Wish

	// Mode is the most this agent may do, whatever its identity allows. "" adds no limit.
	Mode wire.Mode
	// Refresh allows to ask the sources of packages anew, which takes rights an ordinary
	// user has not.
	Refresh bool

	// Reconnect is the time over which a fleet spreads its first try after the server was
	// lost, until the server tells. Zero means two minutes.
	Reconnect time.Duration

	// Tidy gives memory back that the agent no longer uses, after a scan. nil gives it back to
	// the operating system at once.
	Tidy func()
	// Random gives a number from 0 to below 1. nil means a good one.
	Random func() float64
	// Dial reaches the server. nil means the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Reboot restarts the machine. nil asks the operating system through Host.
	Reboot func(context.Context) error
	// Restart restarts one service, named by its unit. nil asks systemd through Host.
	Restart func(ctx context.Context, service string) error
	// Presence says whether somebody is at the machine. nil finds nobody.
	Presence func(context.Context) wire.Presence
	// Announce tells those who are logged in. nil writes to their terminals through Host.
	Announce func(ctx context.Context, text string) error
	// Desk reaches those who are logged in. nil is Host, where it does.
	Desk provider.Desk
	// BootID names the present boot. nil takes it from the first scan.
	BootID func() string
	// Hardware names what the machine is made of: its board, its network cards. A state
	// folder that finds nothing of what it knew was moved or copied to another machine, and
	// nothing begins there before the server was asked. nil knows none.
	Hardware func() []string
}

// ErrAnew means that this machine got an identity of its own: it was a copy of another. The
// agent has ended, and is to be made anew from what its disk holds now.
var ErrAnew = errors.New("this machine has an identity of its own now")

// Agent is an agent that is enrolled.
type Agent struct {
	Options
	id      identity.Identity // but for its certificate, which is in beliefs
	key     crypto.Signer
	keyName string
	mode    wire.Mode
	journal *journal.Journal
	scanner *inventory.Scanner
	link    *link.Link
	clock   *clock
	beliefs *beliefs

	work   bell        // wakes the worker
	talk   bell        // wakes the talker
	listen bell        // tells the listener that a check-in succeeded
	look   atomic.Bool // the server called: read the device again

	mu      sync.Mutex // over what follows
	wish    *wire.Orders
	report  inventory.Report
	due     time.Time          // of the next check-in, by Now
	spoke   time.Time          // when the last check-in began
	told    time.Time          // when the last that the server answered began
	asked   bool               // the server was asked since the start, whether it answered or not
	failing int                // check-ins that failed in a row
	doubt   string             // a sentence, while it is not sure that this is the machine it says it is
	renewed time.Time          // the last try to renew the certificate, by Now
	finish  context.CancelFunc // ends Run
	anew    *wire.Renewed      // the identity of its own that this machine got
	called  bool               // the server called since the last check-in began
	held    held
	status  Status
	// questions are those whether a program may be closed, by the job that would replace it.
	questions map[string]question
	// asksReboot is whether the question about a reboot is shown, and said how the last one ended
	// that was not written down yet.
	asksReboot bool
	said       *rebootAnswer

	worker worker // only the worker's own
	ear    ear    // only the listener's own
}

// New makes the agent from what its disk holds. It is identity.ErrNone before enrolment.
func New(o Options) (*Agent, error) {
	id, err := identity.Load(o.Disk)
	if err != nil {
		return nil, err
	}
	a := &Agent{Options: o.withDefaults(), id: id, mode: narrower(o.Mode, id.Mode)}
	if a.beliefs, err = newBeliefs(a.Options, id); err != nil {
		return nil, err
	}
	a.key = a.beliefs.key
	if a.keyName, err = wire.KeyName(a.key.Public()); err != nil {
		return nil, err
	}
	a.clock = &clock{now: a.Now}
	a.recall()
	if a.link, err = link.New(a.beliefs.address(), a.beliefs.peer(a.clock.earliest).TLS(), a.Dial); err != nil {
		return nil, err
	}
	if a.beliefs.moved(a.Hardware()) {
		a.doubt = "Waiting to hear from the server: this disk was in another machine before."
		a.Log.Warn("nothing of the hardware that was here before is here now: nothing begins before the server was asked")
	}
	// By the last word of the server: a clock that leapt while the machine was off makes
	// nothing old.
	if a.journal, err = journal.Open(a.Disk, a.clock.earliest()); err != nil {
		return nil, err
	}
	if damage := a.journal.Damage(); damage != "" {
		a.Log.Error(damage)
	}
	a.openContent()
	if o.Catalog == nil {
		a.Catalog = a.beliefs.catalog
	}
	if o.Wishes == nil {
		a.Wishes = a.wishes
	}
	a.scanner = NewScanner(a.Options)
	return a, nil
}

// openContent gives providers the files that the server has for them. Without them nothing is
// installed that comes from there, and all else goes on.
func (a *Agent) openContent() {
	if a.Content != nil || a.Files == nil {
		return
	}
	files, err := content.New(content.Options{Folder: a.Files, Source: a.link, Now: a.Now, Log: a.Log})
	if err != nil {
		a.Log.Error("files to install from cannot be kept", "error", err)
		return
	}
	a.Content = files
}

// NewScanner makes what reads this device, with or without an agent.
func NewScanner(o Options) *inventory.Scanner {
	o = o.withDefaults()
	return &inventory.Scanner{
		Kinds: o.Kinds, Facts: o.Facts, Disk: o.Disk, Log: o.Log, Text: sentence,
		Env: func(kind string) provider.Env {
			return provider.Env{Host: o.Host, Log: o.Log.With("provider", kind), Now: o.Now, Records: o.Records, Content: o.Content,
				Catalog: func() provider.Catalog { return o.Catalog(kind) }, Wishes: func() []patch.Wish { return o.Wishes(kind) }}
		},
	}
}

func (o Options) withDefaults() Options {
	if o.Catalog == nil && o.Disk != nil {
		o.Catalog = CatalogOnDisk(o.Disk)
	}
	if o.Catalog == nil {
		o.Catalog = func(string) provider.Catalog { return provider.Catalog{} }
	}
	if o.Wishes == nil {
		o.Wishes = func(string) []patch.Wish { return nil }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Reconnect == 0 {
		o.Reconnect = 2 * time.Minute
	}
	if o.Records == nil && o.Disk != nil {
		o.Records = o.Disk
	}
	if o.Tidy == nil {
		o.Tidy = debug.FreeOSMemory
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.BootID == nil {
		o.BootID = func() string { return "" }
	}
	if o.Hardware == nil {
		o.Hardware = func() []string { return nil }
	}
	if o.Reboot == nil {
		o.Reboot = func(ctx context.Context) error { return reboot(ctx, o.Host) }
	}
	if o.Restart == nil {
		o.Restart = func(ctx context.Context, service string) error { return restartService(ctx, o.Host, service) }
	}
	if o.Presence == nil {
		o.Presence = func(context.Context) wire.Presence { return wire.Presence{LoggedIn: patch.No} }
	}
	if o.Announce == nil {
		o.Announce = func(ctx context.Context, text string) error { return announce(ctx, o.Host, text) }
	}
	if o.Desk == nil {
		var ok bool
		if o.Desk, ok = o.Host.(provider.Desk); !ok {
			o.Desk = noDesk{}
		}
	}
	return o
}

// noDesk is of a system on which this agent cannot speak with people.
type noDesk struct{}

var errNoDesk = errors.New("this agent cannot reach the desktops of this machine")

func (noDesk) Sessions(context.Context) ([]provider.Session, error) { return nil, errNoDesk }
func (noDesk) Tell(context.Context, uint32, string) error           { return errNoDesk }
func (noDesk) Choose(context.Context, uint32, provider.Question, time.Duration) (int, error) {
	return -1, errNoDesk
}
func (noDesk) Ask(context.Context, uint32, string, time.Duration) (bool, error) {
	return false, errNoDesk
}
func (noDesk) Close(context.Context, provider.Process) error { return errNoDesk }
func (noDesk) End(context.Context, provider.Process) error   { return errNoDesk }

// narrower is the mode that allows less. What is not a mode allows least.
func narrower(limit, mode wire.Mode) wire.Mode {
	if (limit == "" || limit == wire.Manage) && mode == wire.Manage {
		return wire.Manage
	}
	return wire.Observe
}

// Capabilities are the verbs that an agent of this mode accepts.
func Capabilities(mode wire.Mode) []string {
	if mode != wire.Manage {
		return nil
	}
	return []string{wire.VerbInstall, wire.VerbUndo}
}

// capabilities are those verbs, and whether one of the providers reads a catalogue.
func (a *Agent) capabilities() []string {
	can := Capabilities(a.mode)
	if slices.ContainsFunc(a.Kinds, func(k provider.Kind) bool { return k.Traits.Catalog }) {
		can = append(can, wire.CanCatalog)
		slices.Sort(can)
	}
	return can
}

// Run works until the context ends. Installing that has begun is finished first. It is
// ErrAnew when this machine got another identity.
func (a *Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.mu.Lock()
	a.finish = cancel
	a.due = a.Now().Add(2 * time.Minute) // the first scan brings it forward
	a.mu.Unlock()
	if err := a.remember(); err != nil {
		return err
	}
	var loops sync.WaitGroup
	loops.Go(func() { a.runWorker(ctx) })
	loops.Go(func() { a.runTalker(ctx) })
	loops.Go(func() { a.runListener(ctx) })
	loops.Wait()
	if a.anew == nil {
		return nil
	}
	if err := a.startAnew(*a.anew); err != nil {
		return err
	}
	return ErrAnew
}

// Close lets go of files and connections.
func (a *Agent) Close() error {
	a.link.Close()
	if err := a.journal.Close(); err != nil {
		return fmt.Errorf("closing the journal: %w", err)
	}
	return nil
}

// remember takes up the orders accepted before the restart. Their signature is checked
// again; their expiry is not, because it ends only their acceptance.
func (a *Agent) remember() error {
	envelope, err := loadOrders(a.Disk)
	if err != nil || envelope == nil {
		return err
	}
	orders, err := readOrders(envelope, a.beliefs.state().Keys(), a.id.Agent)
	if err != nil {
		a.Log.Error("the orders on disk are not taken up", "error", err)
		return nil
	}
	a.mu.Lock()
	a.wish = &orders
	a.mu.Unlock()
	return nil
}
