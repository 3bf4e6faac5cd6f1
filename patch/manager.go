package patch

import "time"

// MaxHistory is how many events of a manager's own record are told, the newest ones.
const MaxHistory = 200

// Event is one line of what a manager says it did. It is the manager's word: nothing counts as
// there, or as gone, because of it.
type Event struct {
	At       *time.Time  `json:"at,omitempty"`       // as the manager says; nil when it says none that can be
	Name     string      `json:"name"`               // as the item is named, where the manager tells that
	Title    string      `json:"title,omitempty"`    // what its publisher calls it
	Instance string      `json:"instance,omitempty"` // the item's, where it has one
	Version  string      `json:"version,omitempty"`
	Removal  bool        `json:"removal,omitempty"`
	Result   EventResult `json:"result"`
	Code     string      `json:"code,omitempty"` // the manager's own number, of what did not succeed
	Why      string      `json:"why,omitempty"`  // what the number means
	By       string      `json:"by,omitempty"`   // what asked for it, as that called itself
}

// EventResult is how a manager says that something ended.
type EventResult string

// The results.
const (
	EventSucceeded  EventResult = "succeeded"
	EventPartly     EventResult = "partly" // it succeeded with errors, which is no success
	EventFailed     EventResult = "failed"
	EventAborted    EventResult = "aborted"
	EventInProgress EventResult = "in_progress" // when it was read
	EventUnknown    EventResult = "unknown"     // it says nothing, or what nobody here knows
)

// EventResults are all of them.
func EventResults() []EventResult {
	return []EventResult{EventSucceeded, EventPartly, EventFailed, EventAborted, EventInProgress, EventUnknown}
}

// MaxRepairs is how many acts of repair are remembered, the newest ones.
const MaxRepairs = 12

// Repair is what is wrong with the manager behind a source, and what was done about it.
type Repair struct {
	Turn   Turn        `json:"turn"`
	Search bool        `json:"search,omitempty"` // it cannot look for updates; else it can, and some could not be installed
	Since  *time.Time  `json:"since,omitempty"`  // when it first failed since it last worked; nil is not known
	At     *time.Time  `json:"at,omitempty"`     // when it last failed
	Code   string      `json:"code,omitempty"`   // the manager's own number
	Why    string      `json:"why,omitempty"`    // what it means
	Next   string      `json:"next,omitempty"`   // what a person can do
	Act    string      `json:"act,omitempty"`    // what is done without a person, in words; "" is nothing
	Tries  int         `json:"tries,omitempty"`  // how often that was done
	Most   int         `json:"most,omitempty"`   // how often it is done at most
	After  *time.Time  `json:"after,omitempty"`  // not before then, in a window; nil is at the next one
	Done   []RepairAct `json:"done,omitempty"`   // the newest first
}

// Turn says whose turn it is with what is wrong.
type Turn string

// The turns.
const (
	TurnNobody   Turn = "nobody"   // nothing is wrong any more
	TurnRetry    Turn = "retry"    // it is tried again by itself
	TurnPatchbay Turn = "patchbay" // something is done about it without a person
	TurnPerson   Turn = "person"   // it stays as it is until a person acts
)

// Turns are all of them.
func Turns() []Turn { return []Turn{TurnNobody, TurnRetry, TurnPatchbay, TurnPerson} }

// RepairAct is one act of repair and how it ended.
type RepairAct struct {
	At     time.Time    `json:"at"`
	Act    string       `json:"act"` // in words
	Code   string       `json:"code,omitempty"`
	Try    int          `json:"try,omitempty"`
	Result RepairResult `json:"result"`
	Said   string       `json:"said,omitempty"` // why it did not help
}

// RepairResult is how an act of repair ended.
type RepairResult string

// The results of a repair.
const (
	RepairWorked RepairResult = "worked" // the manager looks for updates again
	RepairFailed RepairResult = "failed"
	RepairCut    RepairResult = "cut" // it began, and nothing says how it ended
)

// RepairResults are all of them.
func RepairResults() []RepairResult { return []RepairResult{RepairWorked, RepairFailed, RepairCut} }
