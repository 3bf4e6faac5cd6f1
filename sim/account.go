package sim

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Report is what a simulation did and saw. All times in it are virtual.
type Report struct {
	Fleet    string `json:"fleet"`
	Agents   int    `json:"agents"`
	Enrolled int    `json:"enrolled"`
	Settled  int    `json:"settled"` // of which the server held the whole inventory at least once
	Silent   int    `json:"silent"`  // fell silent on purpose
	Away     int    `json:"away"`    // have lost the server just now
	// Reconnect is over how long the server said that first tries are to be spread.
	Reconnect time.Duration  `json:"reconnect"`
	Copies    int            `json:"copies"` // machines that began as a copy of another
	CheckIns  int            `json:"check_ins"`
	Calls     int            `json:"calls"` // times the server asked for a check-in
	Doubts    int            `json:"doubts"`
	Renewed   int            `json:"renewed"`
	BytesOut  int64          `json:"bytes_out"` // above TLS, after packing
	BytesIn   int64          `json:"bytes_in"`
	Errors    map[string]int `json:"errors,omitempty"`
	Outcomes  Outcomes       `json:"outcomes"`
	Jobs      map[string]int `json:"jobs,omitempty"` // that ended, by their end
	// MostRetries is the most attempts of machines that had lost the server in one second.
	MostRetries int `json:"most_retries"`
	// Back is how long machines were without the server, in steps of ten seconds.
	Back []int `json:"back,omitempty"`
	// Seconds is what happened in each second since Begin; only when it was asked for.
	Begin   time.Time `json:"begin"`
	Now     time.Time `json:"now"`
	Seconds []Second  `json:"seconds,omitempty"`
}

// Outcomes counts what was done on the machines.
type Outcomes struct {
	Made         int `json:"made"`
	Acknowledged int `json:"acknowledged"`
	// Undone were made by a machine after the snapshot to which it was put back, and not
	// told before: they are gone as they would be from a real disk.
	Undone int `json:"undone"`
}

// Waiting are those that are still on the machines' disks.
func (o Outcomes) Waiting() int { return o.Made - o.Acknowledged - o.Undone }

func (o *Outcomes) acknowledge(has bool) {
	if has {
		o.Acknowledged++
	} else {
		o.Acknowledged--
	}
}

// Second is what happened in one second.
type Second struct {
	Attempts int `json:"a,omitempty"` // check-ins and enrolments begun
	Retries  int `json:"r,omitempty"` // of which by machines that had lost the server
	Failed   int `json:"f,omitempty"`
	Back     int `json:"b,omitempty"` // machines that found the server again
}

// account keeps the report. Only the schedule touches it.
type account struct {
	Report
	keep    bool // every second, not just the current one
	current Second
	second  int // which one that is
	known   map[*machine]bool
}

func newAccount(fleet string, begin time.Time, keep bool) *account {
	return &account{Report: Report{Fleet: fleet, Begin: begin, Errors: map[string]int{}, Jobs: map[string]int{}}, keep: keep, known: map[*machine]bool{}}
}

// tick moves on to the second of a moment.
func (a *account) tick(now time.Time) *Second {
	second := int(now.Sub(a.Begin) / time.Second)
	if a.keep {
		for len(a.Seconds) <= second {
			a.Seconds = append(a.Seconds, Second{})
		}
		return &a.Seconds[second]
	}
	if second != a.second {
		a.second, a.current = second, Second{}
	}
	return &a.current
}

func (a *account) attempt(now time.Time, retry bool) {
	s := a.tick(now)
	s.Attempts++
	if retry {
		s.Retries++
		a.MostRetries = max(a.MostRetries, s.Retries)
	}
}

func (a *account) carried(answer Answer) {
	a.BytesOut += int64(answer.Out)
	a.BytesIn += int64(answer.In)
}

func (a *account) failed(now time.Time, err error) {
	a.tick(now).Failed++
	a.failure(kind(err))
}

func (a *account) failure(kind string) { a.Errors[kind]++ }

// foundAgain notes that a machine is back after so long.
func (a *account) foundAgain(now time.Time, after time.Duration) {
	a.tick(now).Back++
	step := min(int(max(after, 0)/(10*time.Second)), 1000)
	for len(a.Report.Back) <= step {
		a.Report.Back = append(a.Report.Back, 0)
	}
	a.Report.Back[step]++
}

func (a *account) settled(m *machine) {
	if !a.known[m] {
		a.known[m] = true
		a.Report.Settled++
	}
}

// kind names an error so that a thousand of the same are one line.
func kind(err error) string {
	var busy overload
	switch {
	case errors.As(err, &busy):
		return "overload"
	case errors.Is(err, errRefused), errors.Is(err, errLost), errors.Is(err, errDoubt):
		return err.Error()
	}
	text := err.Error()
	for _, word := range []string{"connection refused", "connection reset", "i/o timeout", "deadline exceeded", "broken pipe", "too many open files",
		"cannot assign requested address", "EOF", "certificate", "status "} {
		if i := strings.Index(text, word); i >= 0 {
			if word == "status " {
				return text[i:min(len(text), i+len("status 000"))]
			}
			return word
		}
	}
	head, _, _ := strings.Cut(text, ":")
	return head[:min(len(head), 60)]
}

// Entry is one outcome as a machine keeps it.
type Entry struct {
	Agent  string `json:"agent"`
	Device string `json:"device"`
	Job    string `json:"job"`
	Step   string `json:"step"`
	Seq    int64  `json:"seq"`
	Acked  bool   `json:"acked"`
}

// Ledger is every outcome that is on the machines, to be compared with what the server holds.
func (s *Simulator) Ledger() []Entry {
	var all []Entry
	for _, m := range s.machines {
		for _, o := range m.Outcomes {
			all = append(all, Entry{Agent: m.Agent, Device: o.Device, Job: o.Job, Step: string(o.Step), Seq: o.Seq, Acked: o.Acked})
		}
	}
	return all
}

// Report is how things stand.
func (s *Simulator) Report() Report {
	r := s.account.Report
	r.Now, r.Agents, r.Reconnect = s.schedule.now, len(s.machines), s.reconnect
	r.Back, r.Seconds = slices.Clone(r.Back), slices.Clone(r.Seconds)
	for _, m := range s.machines {
		if m.Agent != "" {
			r.Enrolled++
		}
		if m.Quiet {
			r.Silent++
		}
		if m.failing > 0 {
			r.Away++
		}
	}
	return r
}
