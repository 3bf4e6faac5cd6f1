// Package provider is the border between Patchbay and everything that installs software.
//
// A provider is one source of software on a device: apt, winget, a switch's firmware. It
// knows how to say what is installed, what is on offer, and how to install exactly what it
// is told. It knows nothing else: windows, retries, ordering, reboots and verification are
// the agent's, once for all providers. Verification is not a method because it is another
// scan. What a planner must know about a provider is data (Traits), so nothing outside a
// provider's folder switches on its name.
package provider

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"patchbay/patch"
)

// Provider is one manager on one device.
type Provider interface {
	// Installed lists what is installed, sorted by key. It changes nothing and is quick.
	Installed(context.Context) ([]patch.Item, error)
	// Available lists what is on offer from what the manager already knows. It changes
	// nothing and uses no network.
	Available(context.Context) (patch.Offer, error)
	// Apply installs exactly the versions in the request. Applying twice is harmless. It
	// never decides whether it succeeded: the next scan does.
	Apply(context.Context, Request) (Outcome, error)
}

// Refresher is a provider that can fetch its sources' metadata anew.
type Refresher interface {
	// Refresh asks every source and says per source how it went. An error means that it
	// could not even try; a source that failed is in the result with its Error.
	Refresh(context.Context) ([]patch.Source, error)
}

// Stager is a provider that can download ahead of the window.
type Stager interface {
	Stage(context.Context, Request) error
}

// Undoer is a provider that can take an update back.
type Undoer interface {
	// Undo brings back exactly the versions in the request, which must be those that the items
	// name as their previous ones (patch.Item.Previous): what this device had before its last
	// update, and nothing else. Undoing twice is harmless. As with Apply, the next scan decides
	// whether it succeeded.
	Undo(context.Context, Request) (Outcome, error)
}

// Repairer is a provider that knows what it began, also after it was stopped in the middle,
// and can finish that.
type Repairer interface {
	// Unfinished names the items that an Apply on this device left incomplete, and with them
	// those that it was asked for, complete or not. It is empty when there is nothing to
	// finish, or nothing that is worth trying now. It changes nothing and is quick.
	Unfinished(context.Context) ([]patch.Item, error)
	// Repair finishes what is unfinished, in the versions that were approved, and touches
	// nothing else. It never decides whether it succeeded: the next scan does.
	Repair(ctx context.Context, lockWait time.Duration) (Outcome, error)
}

// Historian is a provider whose manager keeps a record of what it did.
type Historian interface {
	// History lists what the manager says it did, the newest first, at most patch.MaxHistory.
	// Nothing counts as installed because of it.
	History(context.Context) ([]patch.Event, error)
}

// Closer is a provider of programs that people have open.
type Closer interface {
	// InUse lists what runs of the items in the request on somebody's desktop. Services are
	// none of it: installers see to them.
	InUse(context.Context, Request) ([]Process, error)
}

// Request is what to install and what is allowed to happen on the way.
type Request struct {
	Updates       []patch.Update // Available is the exact version wanted, Installed the one that is there
	AllowRemovals []string       // names of packages that a person approved to be removed
	LockWait      time.Duration  // how long to wait for another package manager's lock
}

// Outcome is what a provider saw while it worked.
type Outcome struct {
	Changes   []Change     `json:"changes,omitempty"`   // everything that changed, also what the resolver pulled in
	Conflicts []Conflict   `json:"conflicts,omitempty"` // configuration files that kept the local version
	Reboot    patch.Answer `json:"reboot,omitempty"`
	Messages  []string     `json:"messages,omitempty"` // the manager's own last words, newest last, at most 20 lines
}

// Change is one item before and after.
type Change struct {
	Name         string `json:"name"`
	Scope        string `json:"scope,omitempty"`    // the user whose it is; "" is the machine
	Instance     string `json:"instance,omitempty"` // where several of one name may be there
	Architecture string `json:"architecture,omitempty"`
	From         string `json:"from,omitempty"`  // "" when newly installed
	To           string `json:"to,omitempty"`    // "" when removed
	Asked        bool   `json:"asked,omitempty"` // it was in the request; otherwise the resolver pulled it in
}

// Conflict is a configuration file that both the vendor and somebody here changed. The
// local one stays in use.
type Conflict struct {
	Path   string `json:"path"`
	Vendor string `json:"vendor,omitempty"` // where the vendor's new version lies, when it was kept
}

// The kinds of failure that the agent acts on. A provider wraps them with its own words.
var (
	ErrAbsent  = errors.New("not on this device")    // skip this provider
	ErrBusy    = errors.New("another program works") // try again soon; not a failure
	ErrOffline = errors.New("source not reachable")  // try again later; not a failure
	ErrRefused = errors.New("refused")               // a person must look before it is tried again
)

// Kind is a provider before it is opened: its name and what a planner must know of it.
type Kind struct {
	Name   string // stored with every item; never changes
	Traits Traits
	Open   func(context.Context, Env) (Provider, error) // ErrAbsent where it does not apply
}

// Traits are what a planner must know, as data.
type Traits struct {
	Versions string `json:"versions"`            // the version order's scheme, for patch.CompareVersions
	Exact    bool   `json:"exact,omitempty"`     // installs the very version asked for, not just the newest
	Whole    bool   `json:"whole,omitempty"`     // updates everything or nothing
	PerUser  bool   `json:"per_user,omitempty"`  // items belong to users
	ReadOnly bool   `json:"read_only,omitempty"` // can be read, never changed
	Adds     bool   `json:"adds,omitempty"`      // each update is an item of its own, which is not there before: Source names it
	Catalog  bool   `json:"catalog,omitempty"`   // installs what the publisher signed for, and nothing else
	Phase    Phase  `json:"phase"`               // when its jobs run
}

// Phase orders the work on a device.
type Phase int

// The phases, in the order they run.
const (
	Apps Phase = iota
	System
	Firmware
)

// Env is what a provider is given to work with.
type Env struct {
	Host Host
	Log  *slog.Logger
	// Records keeps small files that outlive the process, such as the last successful refresh
	// per source. nil means that none may be kept.
	Records Records
	// Catalog gives what the publisher signed for and this provider may install, as it is
	// now. nil gives none.
	Catalog func() Catalog
	// Wishes is what the server's rules want of this provider's programs, as it is now. nil is
	// nothing. It only changes what is on offer.
	Wishes func() []patch.Wish
	// Content gives the files that the catalog names. nil means that there is no way to them.
	Content Content
	Now     func() time.Time
}

// Records are small files by name. A provider's names begin with its own.
type Records interface {
	// Read gives a whole file; the error of a missing one is fs.ErrNotExist.
	Read(name string) ([]byte, error)
	// Write replaces a whole file, durably: a power cut leaves the old one or the new one.
	Write(name string, data []byte) error
}

// Host is the only way out: this machine, one behind SSH, or a recording.
type Host interface {
	// Run starts a program with arguments, never through a shell. A program that ran and
	// failed is not an error: its exit code is in the result.
	Run(context.Context, Command) (Result, error)
	// Files is the device's file system from its root, such as "var/lib/dpkg/status".
	Files() fs.FS
}

// Command is one program to run.
type Command struct {
	Args  []string // Args[0] is the program's name, found in the system's own path
	Env   []string // added to a minimal environment, as NAME=value
	Input string
	// Line, when set, is called with each line of output as it appears.
	Line func(string)
	// Began, when set, is called with the program before its first instruction, by a host that
	// names its processes. Its error keeps the program from running.
	Began func(Process) error
}

// Result is how a program ended.
type Result struct {
	Stdout, Stderr string // cut at 64 MiB
	Code           int
}
