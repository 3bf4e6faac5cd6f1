package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"

	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/agent/journal"
	"patchbay/agent/link"
	"patchbay/provider"
	"patchbay/wire"
)

const statusFile = "status.json"

// Status is how the agent last stood, for people at the machine and for the next start.
type Status struct {
	LastCheckIn   time.Time `json:"last_check_in,omitzero"` // that succeeded
	NextCheckIn   time.Time `json:"next_check_in,omitzero"`
	Error         string    `json:"error,omitempty"` // of the last check-in, "" when it succeeded
	ErrorSince    time.Time `json:"error_since,omitzero"`
	Refused       bool      `json:"refused,omitempty"`        // the server no longer accepts this agent
	RefusedOrders string    `json:"refused_orders,omitempty"` // why the last orders were not accepted
	// RefusedDocument is why a signed document of the last reply is not believed.
	RefusedDocument string    `json:"refused_document,omitempty"`
	Problem         string    `json:"problem,omitempty"` // what keeps jobs from being run at all
	ScannedAt       time.Time `json:"scanned_at,omitzero"`
	RefreshedAt     time.Time `json:"refreshed_at,omitzero"` // the sources were last asked by this agent
	// HeldCalls is until when calls are held, since no stream of events comes through.
	HeldCalls time.Time `json:"held_calls,omitzero"`

	Reconnect   int           `json:"reconnect,omitempty"`  // seconds over which to spread the first try after the server was lost, as it told
	ServerTime  time.Time     `json:"server_time,omitzero"` // the last the server told
	ClockOffset time.Duration `json:"clock_offset,omitempty"`
}

// spoke notes how a check-in went.
func (s *Status) spoke(now, next time.Time, err error) {
	now, s.NextCheckIn = now.UTC().Truncate(time.Second), next.UTC().Truncate(time.Second)
	if err == nil {
		s.LastCheckIn, s.Error, s.ErrorSince, s.Refused = now, "", time.Time{}, false
		return
	}
	if s.Error == "" {
		s.ErrorSince = now
	}
	s.Error = sentence(err.Error())
	s.Refused = s.Refused || errors.Is(err, link.ErrRefused) // only the server itself takes that back
}

// keepStatus writes the status down. It is a convenience: that it fails stops nothing.
func (a *Agent) keepStatus() {
	a.mu.Lock()
	a.status.ClockOffset, a.status.ServerTime = a.clock.known()
	a.status.ScannedAt = a.report.ScannedAt
	status := a.status
	a.mu.Unlock()
	data, err := json.Marshal(status)
	if err == nil {
		err = a.Disk.Write(statusFile, data)
	}
	if err != nil {
		a.Log.Warn("the status could not be kept", "error", err)
	}
}

// recall takes up what the last process knew of the time and of its refreshes.
func (a *Agent) recall() {
	s, err := readStatus(a.Disk)
	if err != nil {
		a.Log.Warn("the last status could not be read", "error", err)
	}
	s.HeldCalls = time.Time{} // a new start tries the stream first
	a.status = s
	a.clock.set(s.ClockOffset, s.ServerTime)
}

func readStatus(dir disk.Dir) (Status, error) {
	var s Status
	data, err := dir.Read(statusFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return Status{}, fmt.Errorf("reading the status: %w", err)
	}
	return s, nil
}

// Standing is all that can be said of an agent from its disk, also while it runs.
type Standing struct {
	Agent      string        `json:"agent"`
	Device     string        `json:"device"`
	Customer   string        `json:"customer"`
	Site       string        `json:"site"`
	Server     string        `json:"server"`
	Mode       wire.Mode     `json:"mode"`
	EnrolledAt time.Time     `json:"enrolled_at"`
	Status     Status        `json:"status"`
	Jobs       []journal.Job `json:"jobs"`
	Pending    int           `json:"pending"` // outcomes that the server does not hold yet
	Damage     string        `json:"damage,omitempty"`
}

// Look reads how an agent stands from its disk. It is identity.ErrNone before enrolment.
func Look(dir disk.Dir) (Standing, error) {
	id, err := identity.Load(dir)
	if err != nil {
		return Standing{}, err
	}
	status, err := readStatus(dir)
	if err != nil {
		return Standing{}, err
	}
	j, err := journal.Read(dir)
	if err != nil {
		return Standing{}, err
	}
	return Standing{
		Agent: id.Agent, Device: id.Device, Customer: id.Customer, Site: id.Site, Server: id.AgentURL, Mode: id.Mode,
		EnrolledAt: id.EnrolledAt, Status: status, Jobs: j.Jobs(), Pending: len(j.Pending(1<<20, 1<<40)), Damage: j.Damage(),
	}, nil
}

// sentence cuts text to what the wire takes and makes it valid.
func sentence(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "�"))
	if len(s) <= wire.MaxText {
		return s
	}
	s = s[:wire.MaxText-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// words are an error's own words: what kind of failure it is stands in the result and need
// not be said again in front of them.
func words(err error) string {
	text := err.Error()
	for _, kind := range []error{provider.ErrRefused, provider.ErrBusy, provider.ErrOffline, provider.ErrAbsent} {
		text = strings.Replace(text, kind.Error()+": ", "", 1)
	}
	return sentence(text)
}

// lines joins a manager's last words, the newest ones if not all fit.
func lines(messages []string) string {
	text := strings.Join(messages, "\n")
	if len(text) > wire.MaxText {
		text = strings.ToValidUTF8(text[len(text)-wire.MaxText+8:], "")
	}
	return sentence(text)
}
