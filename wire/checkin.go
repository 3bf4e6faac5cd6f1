// Package wire is all that an agent and the server say to each other.
//
// There is one exchange. The agent says all it has and did (CheckIn), the server says all
// it wants and all it holds (Reply, with signed Orders). Enrolment, content download and
// the wake-up channel, which only says "check in now", are the only other routes. Messages
// are JSON; fields are only ever added; a reader ignores fields it does not know.
//
// An agent and a device are two things: an agent is a program with a key, a device is a
// thing that is patched, and one agent may speak for several devices.
package wire

import (
	"encoding/json"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// Version is the newest wire version this code speaks. Every released version stays accepted.
const Version = 1

// Limits that both ends hold. A message beyond one is refused whole.
const (
	MaxCheckIn  = 16 << 20 // bytes of one check-in, after decompression
	MaxReply    = 4 << 20  // bytes of one reply
	MaxOutcomes = 500      // outcomes in one check-in; the rest waits for the next
	MaxDevices  = 100      // devices in one check-in
	MaxText     = 4 << 10  // bytes of any one sentence, name or message
)

// CheckIn is what an agent says.
type CheckIn struct {
	Version      int            `json:"v"`
	Agent        string         `json:"agent"`             // the agent's ID; must be the one its certificate names
	Build        string         `json:"build,omitempty"`   // the agent program's version
	BootID       string         `json:"boot,omitempty"`    // of the machine the agent runs on
	Sent         time.Time      `json:"sent"`              // by the agent's own clock, which is reported and not believed
	Mode         Mode           `json:"mode"`              //
	Capabilities []string       `json:"can,omitempty"`     // verbs it accepts and CanCatalog, sorted; nothing else may be ordered
	Seen         OrdersVersion  `json:"seen"`              // the highest orders it accepted
	Nonce        string         `json:"nonce,omitempty"`   // the last one the server gave it
	Documents    HeldDocuments  `json:"docs,omitzero"`     // the signed documents it holds
	Devices      []DeviceReport `json:"devices,omitempty"` //
	Outcomes     []Outcome      `json:"outcomes,omitempty"`
	// Gone is set by an agent that forgot outcomes the server had acknowledged, long ago, to
	// one that lacks them now because it was restored: what it lacks through this number does
	// not come any more, and what follows is not to wait for it.
	Gone int64 `json:"gone,omitempty"`
}

// Mode says how much an agent is willing to do, whatever it is told.
type Mode string

// The modes.
const (
	Observe Mode = "observe" // scans, installs nothing
	Manage  Mode = "manage"  // scans and runs signed jobs
)

// The verbs of jobs. There is none that carries text for a shell.
const (
	VerbInstall = "install"
	// VerbUndo takes an update back to the version that the device had before it. The device
	// goes back only to what it kept or noted itself.
	VerbUndo = "undo"
)

// OrdersVersion orders all orders ever made for one agent: by epoch, then by version. A
// server restored from a backup signs in a new epoch above the highest an agent has seen.
type OrdersVersion struct {
	Epoch   int64 `json:"epoch"`
	Version int64 `json:"version"`
}

// Newer reports whether v is newer than o.
func (v OrdersVersion) Newer(o OrdersVersion) bool {
	return v.Epoch > o.Epoch || v.Epoch == o.Epoch && v.Version > o.Version
}

// DeviceReport is what an agent says of one device.
type DeviceReport struct {
	Device string `json:"device"`
	// ScannedAt is when the last complete scan began. A section whose own state is not ok
	// has its own older time.
	ScannedAt time.Time `json:"scanned_at"`
	// Digest is the hash over all section heads (Digest). When it is what the server said
	// it holds, Sections is empty.
	Digest   string    `json:"digest"`
	Sections []Section `json:"sections,omitempty"`
	Jobs     []JobStep `json:"jobs,omitempty"` // where jobs that are not finished stand
}

// SectionState says whether a provider could be read.
type SectionState string

// The states of a section. A failed section keeps its last body and ages; it never empties.
const (
	SectionOK     SectionState = "ok"
	SectionFailed SectionState = "failed"
	SectionAbsent SectionState = "absent"
)

// Section is one part of a device's inventory, named by its hash. The names are "host" for
// Facts, and provider/installed, provider/offered, provider/sources and provider/history.
type Section struct {
	Name      string          `json:"name"`
	Hash      string          `json:"hash"` // of Body, "sha256:" and lower-case hex; "" when never read
	State     SectionState    `json:"state"`
	Error     string          `json:"error,omitempty"` // a sentence, when failed
	ScannedAt time.Time       `json:"scanned_at"`      // when Body was read
	Body      json.RawMessage `json:"body,omitempty"`  // left out when the server holds this hash
}

// The kinds of sections, after the provider's name.
const (
	HostSection      = "host"
	InstalledSection = "installed" // []patch.Item
	OfferedSection   = "offered"   // []patch.Update
	SourcesSection   = "sources"   // []patch.Source
	HistorySection   = "history"   // []patch.Event: what a manager says it did. A device is read without it
)

// Facts is the body of the host section: what a device says of itself.
type Facts struct {
	Hostname     string          `json:"hostname"`
	OS           string          `json:"os"`                     // "linux", "windows", "darwin"
	Distro       string          `json:"distro,omitempty"`       // "debian"
	Release      string          `json:"release,omitempty"`      // "12"
	OSName       string          `json:"os_name,omitempty"`      // "Debian GNU/Linux 12 (bookworm)"
	SupportEnds  string          `json:"support_ends,omitempty"` // YYYY-MM-DD, by the release's own table; "" is not known
	Kernel       string          `json:"kernel,omitempty"`       // running
	Architecture string          `json:"architecture,omitempty"`
	Container    bool            `json:"container,omitempty"`  // its kernel is somebody else's
	MachineID    string          `json:"machine_id,omitempty"` // a keyed hash, for finding clones; not an identity
	BootID       string          `json:"boot_id,omitempty"`
	BootedAt     *time.Time      `json:"booted_at,omitempty"`
	Zone         string          `json:"zone,omitempty"` // IANA name, "" when not known
	Providers    []ProviderFacts `json:"providers,omitempty"`
	Restart      Restart         `json:"restart"`
	Patchers     []string        `json:"patchers,omitempty"` // other programs that install updates here, such as unattended-upgrades
	Masters      []Master        `json:"masters,omitempty"`  // those of them that may install what a provider here does, sorted
	Edition      string          `json:"edition,omitempty"`  // of Windows: "Professional", "ServerStandard"
	Presence     Presence        `json:"presence,omitzero"`  // whether somebody is at the machine
	Channel      string          `json:"channel,omitempty"`  // by which a Windows is serviced, one of those below; "" is not known
	// Services are those of a Windows that start with the system, of the few that show what a
	// device is for; LanmanServer is told where a server shares folders. Sorted.
	Services []string `json:"services,omitempty"`
	// Listens are the TCP ports that a Linux listens on for others than itself, of the few that
	// show what a device is for. Sorted.
	Listens []int `json:"listens,omitempty"`
}

// Presence says whether somebody is at the machine, as far as is known: each fact is yes, no or
// not known.
type Presence struct {
	LoggedIn   patch.Answer `json:"logged_in,omitempty"`  // somebody is
	Locked     patch.Answer `json:"locked,omitempty"`     // and nobody of them sees their screen
	Presenting patch.Answer `json:"presenting,omitempty"` // somebody shows something to others, or a program fills the screen
	Battery    patch.Answer `json:"battery,omitempty"`    // the machine runs on its battery
}

// The servicing channels of Windows. Those of Insiders bring what is not released yet.
const (
	ChannelGAC            = "gac"    // General Availability Channel
	ChannelLTSC           = "ltsc"   // Long-Term Servicing Channel
	ChannelAnnual         = "annual" // of servers that are replaced every year
	ChannelInsider        = "insider"
	ChannelCanary         = "insider_canary"
	ChannelDev            = "insider_dev"
	ChannelBeta           = "insider_beta"
	ChannelReleasePreview = "insider_release_preview"
)

// Master is another program that decides over what is installed on the device, as far as is
// known: whether it does is settled elsewhere.
type Master struct {
	Name     string `json:"name"`               // as in Patchers: "Intune"
	Programs bool   `json:"programs,omitempty"` // it may install applications
	System   bool   `json:"system,omitempty"`   // it may update the system
}

// Over reports whether it may change what a provider of this phase installs.
func (m Master) Over(p provider.Phase) bool {
	return m.Programs && p == provider.Apps || m.System && p == provider.System
}

// ProviderFacts names a provider found on the device and its traits.
type ProviderFacts struct {
	Name   string          `json:"name"`
	Traits provider.Traits `json:"traits"`
}

// Restart is what still runs in an old version.
type Restart struct {
	Machine  bool     `json:"machine"`           // a reboot is asked for
	Reasons  []string `json:"reasons,omitempty"` // what asks for it: package names
	Services []string `json:"services"`          // services whose processes use replaced files, sorted
	Unknown  []string `json:"unknown,omitempty"` // what could not be read, a sentence each; not empty means the answer is partly unknown
	Old      []OldUse `json:"old,omitempty"`     // the same services with what they use
	// Sources are the places where a system says that it waits for a restart, each with what it
	// says now; nil where there are none to look into.
	Sources []RestartSource `json:"sources,omitempty"`
	// Doubt are the packages whose old files may be in use where it is not known, sorted. When
	// it is nil and Unknown is not empty, it may be any package.
	Doubt []string `json:"doubt,omitzero"`
}

// RestartSource is one place where a system says that it waits for a restart.
type RestartSource struct {
	Kind  string       `json:"kind"` // one of those below
	State RestartState `json:"state"`
	At    *time.Time   `json:"at,omitempty"`    // when it was last written; nil is not known
	Count int          `json:"count,omitempty"` // of files
	Why   string       `json:"why,omitempty"`   // why it is not known
}

// RestartState is what one place says.
type RestartState string

// The states of a place.
const (
	RestartAsks    RestartState = "asks"
	RestartWaits   RestartState = "waits" // something waits for the next restart and asks for none
	RestartQuiet   RestartState = "quiet"
	RestartUnknown RestartState = "unknown"
)

// The places in which a Windows says it.
const (
	RestartByUpdate    = "windows_update"
	RestartByStore     = "component_store"
	RestartByInstaller = "installer"
	RestartByName      = "computer_name"
	RestartByRenames   = "file_renames" // weak: programs leave such wishes for years
)

// OldUse is a service, or a program that belongs to none, that uses replaced files.
type OldUse struct {
	Service   string   `json:"service"`
	Packages  []string `json:"packages,omitempty"` // that the files are of, sorted; empty when nothing says
	Processes int      `json:"processes"`
}

// Using lists the services that use replaced files of one of the packages, sorted.
func (r Restart) Using(packages ...string) []string {
	var names []string
	for _, u := range r.Old {
		if slices.ContainsFunc(packages, func(p string) bool { return slices.Contains(u.Packages, p) }) {
			names = append(names, u.Service)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Doubts reports whether old files of one of the packages may be in use without being seen.
func (r Restart) Doubts(packages ...string) bool {
	return len(r.Unknown) > 0 && (r.Doubt == nil ||
		slices.ContainsFunc(packages, func(p string) bool { return slices.Contains(r.Doubt, p) }))
}

// Reply is what the server says.
type Reply struct {
	Version      int       `json:"v"`
	Time         time.Time `json:"time"`             // the server's clock
	Acknowledged int64     `json:"ack"`              // outcomes through this number are durably stored
	Holds        []Held    `json:"holds,omitempty"`  // only where it is not what the agent reported
	Orders       *Envelope `json:"orders,omitempty"` // left out when the agent has seen the newest
	Next         int       `json:"next"`             // seconds until the next check-in is expected
	// Nonce is to be kept and told from the next check-in on; "" leaves the last one in force.
	Nonce string `json:"nonce,omitempty"`
	// Documents are the signed ones that the agent does not hold, in the order to read them:
	// roots one after the other, the server's keys, limits, and now and then the time.
	Documents []Envelope `json:"documents,omitempty"`
	// Reconnect is over how many seconds to spread the first try after the server was lost;
	// 0 says nothing about it.
	Reconnect int `json:"reconnect,omitempty"`
}

// Held is what the server holds of a device: by section name, the hash.
type Held struct {
	Device   string            `json:"device"`
	Digest   string            `json:"digest,omitempty"` // "" when it does not hold everything reported
	Sections map[string]string `json:"sections,omitempty"`
}

// Step is where a job stands.
type Step string

// The steps of a job, in order, then its ends.
const (
	StepStaging    Step = "staging"
	StepWaiting    Step = "waiting"
	StepPreflight  Step = "preflight"
	StepApplying   Step = "applying"
	StepRestarting Step = "restarting" // services; the machine comes after it
	StepRebooting  Step = "rebooting"
	StepVerifying  Step = "verifying"
	StepDone       Step = "done"
	StepFailed     Step = "failed"
)

// Ended reports whether a job at this step is over.
func (s Step) Ended() bool { return s == StepDone || s == StepFailed }

// Restarts is why a job stands at StepRebooting from the moment at which the machine was told
// to restart. With any other reason it waits for that.
const Restarts = "The machine restarts."

// JobStep is where one unfinished job stands and why.
type JobStep struct {
	Job   string    `json:"job"`
	Step  Step      `json:"step"`
	Since time.Time `json:"since"`
	Why   string    `json:"why,omitempty"` // a sentence while it waits: for the window, for another package manager…
}

// Outcome is one thing that happened to a job. The last one of a job carries its receipt.
type Outcome struct {
	Seq     int64     `json:"seq"` // counts up by one per agent, never reused
	Device  string    `json:"device"`
	Job     string    `json:"job"`
	Step    Step      `json:"step"`   // the step that ended, or done or failed
	Result  Result    `json:"result"` //
	At      time.Time `json:"at"`
	Message string    `json:"message,omitempty"` // a sentence
	Detail  string    `json:"detail,omitempty"`  // the manager's own words
	Receipt *Envelope `json:"receipt,omitempty"`
}

// Result says how a step ended.
type Result string

// The results.
const (
	ResultOK      Result = "ok"
	ResultFailed  Result = "failed"
	ResultRefused Result = "refused" // the device guarded itself, or a person must look first
	ResultBusy    Result = "busy"    // will be tried again
	ResultOffline Result = "offline" // will be tried again
	ResultTold    Result = "told"    // people were told or asked; says nothing of how the job stands
)

// Receipt is the signed record of a finished job, or of what people were told for one.
type Receipt struct {
	Job        string              `json:"job"`
	Device     string              `json:"device"`
	Agent      string              `json:"agent"`
	Decision   string              `json:"decision"` // what caused the job
	Target     Target              `json:"target"`
	Verified   bool                `json:"verified"` // a fresh scan shows the wanted version, active
	Before     string              `json:"before"`   // version seen before
	After      string              `json:"after"`    // version seen after, "" when it could not be read
	Changes    []provider.Change   `json:"changes,omitempty"`
	Conflicts  []provider.Conflict `json:"conflicts,omitempty"`
	BootBefore string              `json:"boot_before,omitempty"`
	BootAfter  string              `json:"boot_after,omitempty"`
	StartedAt  time.Time           `json:"started_at"`
	EndedAt    time.Time           `json:"ended_at"`
	Step       Step                `json:"step"` // done or failed
	Message    string              `json:"message,omitempty"`
	Orders     OrdersVersion       `json:"orders"`             // the orders it was started under
	Forced     string              `json:"forced,omitempty"`   // who forced it outside its window
	Approval   string              `json:"approval,omitempty"` // the signed approval under which it began, where one was needed
	// Notice is set in the record of what people were told about the reboot that the job asks
	// for. Such a record has the step rebooting, and is not of the job's end.
	Notice *Notice `json:"notice,omitempty"`
}

// Notice is what people at a device were told or asked.
type Notice struct {
	Said       string    `json:"said"`
	Session    uint32    `json:"session,omitempty"` // as the system numbers it; 0 is all of them
	User       string    `json:"user,omitempty"`    // whose session it is, as far as is known
	At         time.Time `json:"at"`
	Choices    []string  `json:"choices,omitempty"`    // of a question
	Answer     string    `json:"answer,omitempty"`     // the choice that was made; "" is none
	AnsweredAt time.Time `json:"answered_at,omitzero"` // when the question was over
	Problem    string    `json:"problem,omitempty"`    // why it may not have been seen
}

// Target is one exact change of one item.
type Target struct {
	Provider     string `json:"provider"`
	Scope        string `json:"scope,omitempty"`
	Name         string `json:"name"`
	Architecture string `json:"architecture,omitempty"`
	Instance     string `json:"instance,omitempty"`
	From         string `json:"from"`
	To           string `json:"to"`
	SHA256       string `json:"sha256,omitempty"`
	Size         int64  `json:"size,omitempty"`
	// Source is the source package of what is not installed yet, where From is "": what is
	// installed then names itself, and is known by it.
	Source string `json:"source,omitempty"`
}

// Key names the item.
func (t Target) Key() patch.Key {
	return patch.Key{Provider: t.Provider, Scope: t.Scope, Name: t.Name, Architecture: t.Architecture, Instance: t.Instance}
}
