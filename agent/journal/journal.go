// Package journal is what the agent remembers of its work: where each job stands, and every
// outcome until the server has it.
//
// It is a log of lines, each with a checksum, and a line is on the disk before what it says
// is acted on: a step is written before it is entered, an outcome before it is told. Reading
// the lines in order gives the state, so whatever moment the power goes, the next start
// finds the last thing that was begun. A torn last line is dropped: what it said never began.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"patchbay/agent/disk"
	"patchbay/wire"
)

// The journal's files.
const (
	Name    = "journal"
	Damaged = "journal.damaged" // a copy, when lines in the middle could not be read
)

const (

	// Keep is how long an outcome stays after the server acknowledged it, and an ended job is
	// known: a server that was restored from a backup lists it again.
	Keep = 30 * 24 * time.Hour

	// large is the size from which the journal is worth rewriting.
	large = 256 << 10

	// highest is the largest sequence number believed when a server names it.
	highest = 1 << 53
)

// Change is one line: what changes at once or not at all.
type Change struct {
	Jobs     []Job          `json:"jobs,omitempty"`     // where they stand from now on
	Dropped  []string       `json:"dropped,omitempty"`  // jobs to forget
	Outcomes []wire.Outcome `json:"outcomes,omitempty"` // numbered by Save
	Reboot   *Reboot        `json:"reboot,omitempty"`   // as it stands from now on
	Ack      *Ack           `json:"ack,omitempty"`
	Base     *state         `json:"base,omitempty"` // replaces everything before
}

// Ack says what the server holds.
type Ack struct {
	Through int64     `json:"through"`
	At      time.Time `json:"at"`
}

// Journal is the open journal. Its methods may be called from several goroutines.
type Journal struct {
	dir     disk.Dir
	damage  string
	mu      sync.Mutex
	state   state
	log     disk.Log // nil after a failed append: the file is then written anew first
	size    int64
	written int64 // size after the last rewriting
}

// Open reads the journal back and opens it for writing. Outcomes whose time is over by now
// are dropped.
func Open(dir disk.Dir, now time.Time) (*Journal, error) {
	j, data, err := load(dir)
	if err != nil {
		return nil, err
	}
	if j.damage != "" {
		if err := dir.Write(Damaged, data); err != nil {
			return nil, fmt.Errorf("keeping the damaged journal: %w", err)
		}
	}
	j.state.prune(now)
	return j, j.rewrite()
}

// Read reads the journal without touching it.
func Read(dir disk.Dir) (*Journal, error) {
	j, _, err := load(dir)
	return j, err
}

func load(dir disk.Dir) (*Journal, []byte, error) {
	data, err := dir.Read(Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("reading the journal: %w", err)
	}
	j := &Journal{dir: dir, state: state{Next: 1, Jobs: map[string]Job{}}}
	changes, skipped := parse(data)
	for _, c := range changes {
		j.state.apply(c)
	}
	if skipped > 0 {
		j.damage = fmt.Sprintf("%d lines of the journal could not be read; a copy is kept as %s", skipped, Damaged)
	}
	return j, data, nil
}

// Damage is a sentence when part of the journal could not be read, otherwise "".
func (j *Journal) Damage() string { return j.damage }

// Empty reports whether nothing changes.
func (c Change) Empty() bool {
	return len(c.Jobs)+len(c.Dropped)+len(c.Outcomes) == 0 && c.Reboot == nil && c.Ack == nil
}

// Save makes the change durable, then true. After an error nothing has changed.
func (j *Journal) Save(c Change) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.Empty() {
		return nil
	}
	c.Outcomes = slices.Clone(c.Outcomes)
	for i := range c.Outcomes {
		c.Outcomes[i].Seq = j.state.Next + int64(i)
	}
	if err := j.append(c); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	j.state.apply(c)
	return nil
}

// append writes one line. A log that failed once is written anew as a whole before it is
// used again: nobody knows what its end looks like.
func (j *Journal) append(c Change) error {
	if j.log == nil || j.size > large && j.size > 4*j.written {
		if err := j.rewrite(); err != nil {
			return err
		}
	}
	text, err := line(c)
	if err != nil {
		return err
	}
	if err := j.log.Append(text); err != nil {
		err = errors.Join(err, j.log.Close())
		j.log = nil
		return err
	}
	j.size += int64(len(text))
	return nil
}

// rewrite replaces the file by one line that holds the whole state.
func (j *Journal) rewrite() error {
	text, err := line(Change{Base: &j.state})
	if err != nil {
		return err
	}
	if j.log != nil {
		j.log.Close() // the file is replaced; what closing it says matters to nobody
		j.log = nil
	}
	if err := j.dir.Write(Name, text); err != nil {
		return err
	}
	j.log, err = j.dir.Log(Name, int64(len(text)))
	j.size, j.written = int64(len(text)), int64(len(text))
	return err
}

// Acknowledge records through which number the server holds the outcomes. When the number
// is lower than before, the server lost some (it was restored), and they are pending again.
// When it is higher than any given out, this agent lost some (its disk was restored): what
// is pending is numbered anew above it, so that no number ever means two things.
func (j *Journal) Acknowledge(through int64, now time.Time) error {
	j.mu.Lock()
	known := j.state.Acknowledged
	j.mu.Unlock()
	if through == known || through < 0 || through > highest {
		return nil
	}
	return j.Save(Change{Ack: &Ack{through, now}})
}

// Jobs are all jobs the journal knows, in the order of their IDs.
func (j *Journal) Jobs() []Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	jobs := make([]Job, 0, len(j.state.Jobs))
	for _, job := range j.state.Jobs {
		jobs = append(jobs, job)
	}
	slices.SortFunc(jobs, func(a, b Job) int { return strings.Compare(a.ID, b.ID) })
	return jobs
}

// Reboot is where the reboot stands that jobs wait for.
func (j *Journal) Reboot() Reboot {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.Reboot
}

// Pending are the oldest outcomes that the server does not hold, at most so many and about
// so many bytes, but at least one when there is one.
func (j *Journal) Pending(most, bytes int) []wire.Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []wire.Outcome
	for _, o := range j.state.Outcomes {
		if o.AckedAt != nil {
			continue
		}
		bytes -= weight(o.Outcome)
		if len(out) == most || len(out) > 0 && bytes < 0 {
			break
		}
		out = append(out, o.Outcome)
	}
	return out
}

// Gone is the highest number that the server lacks and that is no longer kept here, 0 when
// there is none: it was acknowledged so long ago that it was forgotten.
func (j *Journal) Gone() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := j.state.Next
	for _, o := range j.state.Outcomes {
		if o.Seq > j.state.Acknowledged {
			first = o.Seq
			break
		}
	}
	if first <= j.state.Acknowledged+1 {
		return 0
	}
	return first - 1
}

// PendingOf reports whether an outcome of the job still waits for the server.
func (j *Journal) PendingOf(job string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.ContainsFunc(j.state.Outcomes, func(o outcome) bool { return o.Job == job && o.AckedAt == nil })
}

// Close closes the file. Everything saved is on the disk already.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.log == nil {
		return nil
	}
	log := j.log
	j.log = nil
	return log.Close()
}

// weight estimates the outcome's size on the wire.
func weight(o wire.Outcome) int {
	n := 300 + len(o.Message) + len(o.Detail)
	if o.Receipt != nil {
		n += 300 + len(o.Receipt.Payload)*4/3
	}
	return n
}

// line is one record: the checksum of the JSON, a space, the JSON, a line feed.
func line(c Change) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encoding a line of the journal: %w", err)
	}
	return append(fmt.Appendf(nil, "%08x ", crc32.ChecksumIEEE(body)), append(body, '\n')...), nil
}

// parse reads the lines of a journal and counts those it had to skip. The last one may be
// torn; that is the trace of a power cut and not counted.
func parse(data []byte) (changes []Change, skipped int) {
	for len(data) > 0 {
		text, rest, whole := bytes.Cut(data, []byte{'\n'})
		c, ok := parseLine(text)
		switch {
		case ok && whole:
			changes = append(changes, c)
		case len(rest) > 0:
			skipped++
		}
		data = rest
	}
	return changes, skipped
}

func parseLine(text []byte) (Change, bool) {
	sum, body, ok := bytes.Cut(text, []byte{' '})
	if !ok || len(sum) != 8 {
		return Change{}, false
	}
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || crc32.ChecksumIEEE(body) != uint32(want) {
		return Change{}, false
	}
	var c Change
	return c, json.Unmarshal(body, &c) == nil
}
