package provider

import (
	"context"
	"fmt"
	"time"
)

// EngineHost is a Windows with an update engine of its own, which knows, brings and installs
// the updates of the system.
type EngineHost interface {
	RegistryHost
	// Engine reaches the engine. One that cannot be reached is an EngineError; a Windows
	// without one is ErrAbsent. Whoever is given it closes it.
	Engine(context.Context) (Engine, error)
}

// Engine is the update engine of a Windows. It does one thing at a time; another program that
// has it install something is ErrBusy.
type Engine interface {
	// Search asks for updates. With online, the engine asks its server first, which takes
	// minutes; otherwise it answers from what it knew last.
	Search(ctx context.Context, q EngineSearch, online bool) ([]EngineUpdate, error)
	// History gives what the engine says it did, the newest first, at most so many.
	History(ctx context.Context, most int) ([]EngineEvent, error)
	// Download, Install and Uninstall do it with exactly these updates, in this order, and
	// say of each how it ended. An update or revision that the engine no longer has is an
	// EngineResult with NotFound. Install agrees to a licence only where agree says so.
	Download(ctx context.Context, updates []EngineID) ([]EngineResult, error)
	Install(ctx context.Context, updates []EngineID, agree bool) ([]EngineResult, error)
	Uninstall(ctx context.Context, updates []EngineID) ([]EngineResult, error)
	// State is how the engine is.
	State(ctx context.Context) (EngineState, error)
	Close()
}

// EngineSearch says which updates to look for.
type EngineSearch string

// The searches, as the engine's own criteria say them. Hidden ones are in none but the last.
const (
	EngineOffered   EngineSearch = "IsInstalled=0 and IsHidden=0"
	EngineInstalled EngineSearch = "IsInstalled=1"
	EngineHidden    EngineSearch = "IsInstalled=0 and IsHidden=1"
)

// EngineID names one revision of one update.
type EngineID struct {
	Update   string // a GUID in lower case, without braces
	Revision int
}

// EngineUpdate is one revision of an update as the engine tells it. Nothing of it is to be
// believed before it was bounded and cleaned: it comes from a server.
type EngineUpdate struct {
	ID          EngineID
	Title       string
	Description string
	KBs         []string // numbers without KB
	CVEs        []string
	Bulletins   []string
	Severity    string           // Critical, Important, Moderate, Low; "" where none is told
	Categories  []EngineCategory // classifications and products
	Supersedes  []string         // IDs of updates that it takes the place of
	Size        int64            // the most bytes to download; 0 is not known
	Changed     time.Time        // when this revision was published, as the engine says
	Deadline    time.Time        // zero where none is set
	Downloaded  bool
	Installed   bool
	Hidden      bool
	Mandatory   bool
	Beta        bool
	Optional    bool // offered to be chosen, never by itself (BrowseOnly)
	Chosen      bool // the engine would install it by itself (AutoSelectOnWebSites)
	Removable   bool // it can be uninstalled
	Agreed      bool // its licence was agreed to, or it has none
	Asks        bool // it may ask a person something while it installs
	Reboot      EngineReboot
	Driver      *EngineDriver // set on a driver
}

// EngineCategory is what an update is sorted under. ID is what counts: names are translated.
type EngineCategory struct {
	ID, Name string
	Type     string // "UpdateClassification", "Product", "ProductFamily", …
}

// EngineReboot is what an update says of a restart beforehand.
type EngineReboot int

// The answers, with the engine's numbers.
const (
	RebootNever EngineReboot = iota
	RebootAlways
	RebootMaybe
)

// EngineDriver is what an update says of the driver it brings.
type EngineDriver struct {
	Class, HardwareID, Manufacturer, Model, Provider string
	Date                                             time.Time
}

// EngineEvent is one line of the engine's history.
type EngineEvent struct {
	ID       EngineID
	Title    string
	At       time.Time
	Removal  bool
	Result   EngineCode
	HResult  uint32
	ByClient string // what asked for it, as it called itself
}

// EngineCode is how the engine says that something ended.
type EngineCode int

// The codes, with the engine's numbers.
const (
	EngineNotStarted EngineCode = iota
	EngineInProgress
	EngineSucceeded
	EngineSucceededWithErrors // not a success: something of it failed
	EngineFailed
	EngineAborted
)

// EngineResult is how it ended for one update.
type EngineResult struct {
	ID       EngineID
	Result   EngineCode
	HResult  uint32
	Reboot   bool // it asks for a restart
	NotFound bool // the engine has no such update or revision; nothing was done
}

// EngineState is how the engine is.
type EngineState struct {
	RebootRequired bool
	RebootFirst    bool      // it installs nothing before a restart
	Busy           bool      // it installs something
	Searched       time.Time // the last search that succeeded, of whoever asked; zero is never or not known
	Installed      time.Time // the last installation that succeeded
	Managed        bool      // it asks a server of this organisation (WSUS)
	Client         string    // the engine's own version
}

// EngineError is a failure of the engine in its own number.
type EngineError struct {
	What    string // what was asked of it
	HResult uint32
}

// Error names what was asked and the number.
func (e *EngineError) Error() string { return fmt.Sprintf("%s: 0x%08X", e.What, e.HResult) }
