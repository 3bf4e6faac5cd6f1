// Package peers is how several servers on one database tell each other what to look at.
//
// A notice names what to look at and never what is so: the truth is in the database, and a
// lost notice makes nothing wrong, only late. Nothing is lost in silence, though. A server that
// could not say something says "look at everything" next, and one that could not listen for a
// while looks at everything by itself, and remembers nothing meanwhile.
package peers

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"patchbay/server/store"
)

// Device is a device with whose it is and who speaks for it, for servers that do not know
// it yet.
type Device struct {
	Customer string `json:"customer"`
	ID       string `json:"id"`
	Agent    string `json:"agent"`
}

// Notice is what one server tells the others to look at.
type Notice struct {
	From      string   `json:"from"`                // the server that says it
	All       bool     `json:"all,omitempty"`       // everything
	Due       []Device `json:"due,omitempty"`       // to be decided anew, their agents to be read anew
	Calls     []Device `json:"calls,omitempty"`     // whose agents have something new to hear
	Customers []string `json:"customers,omitempty"` // all of whose devices are due
	Moved     []string `json:"moved,omitempty"`     // agents to be read anew
	Documents bool     `json:"documents,omitempty"` // signed documents were published
}

func (n *Notice) add(o Notice) {
	n.All, n.Documents = n.All || o.All, n.Documents || o.Documents
	n.Due, n.Calls = append(n.Due, o.Due...), append(n.Calls, o.Calls...)
	n.Customers, n.Moved = append(n.Customers, o.Customers...), append(n.Moved, o.Moved...)
}

func (n *Notice) empty() bool {
	return !n.All && !n.Documents && len(n.Due)+len(n.Calls)+len(n.Customers)+len(n.Moved) == 0
}

// Carrier takes notices from server to server; a store on PostgreSQL is one.
type Carrier interface {
	Notify(ctx context.Context, notice []byte) error
	Listen(ctx context.Context, ready func() error, hear func(notice []byte) error) error
}

// Options are what peers need.
type Options struct {
	Carrier Carrier
	Name    string // of this server, unlike all others
	// Hear is told what others say, one notice at a time, and Ready that from here on all is
	// heard, while what was said before may have been missed. Where one fails, listening
	// begins anew. Cut is told that others are not heard from here on.
	Hear  func(context.Context, Notice) error
	Ready func(context.Context) error
	Cut   func()
	Log   *slog.Logger
}

// Peers are the other servers. The nil one has none.
type Peers struct {
	Options

	mu      sync.Mutex
	pending Notice
	period  uint64 // of listening, counted from 1; 0 while nothing is heard
	periods uint64
	said    chan struct{} // something is pending
}

// retry is how long after a failure it is tried again.
const retry = time.Second

// New makes peers. Nothing is said or heard before Run.
func New(o Options) *Peers { return &Peers{Options: o, said: make(chan struct{}, 1)} }

// Tell says something to the others soon. It never blocks.
func (p *Peers) Tell(n Notice) {
	if p == nil || n.empty() {
		return
	}
	p.mu.Lock()
	p.pending.add(n)
	p.mu.Unlock()
	select {
	case p.said <- struct{}{}:
	default:
	}
}

// Period names the time since when all that others say is heard; 0 when they are not. What
// was read within one period, and not named in a notice since, is still so.
func (p *Peers) Period() uint64 {
	if p == nil {
		return 1
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.period
}

// Run says and hears until ctx ends.
func (p *Peers) Run(ctx context.Context) {
	if p == nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.speak(ctx) })
	both.Go(func() { p.listen(ctx) })
	both.Wait()
}

// speak says what is pending. What gathers meanwhile is said together next.
func (p *Peers) speak(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-p.said:
		}
		p.mu.Lock()
		n := p.pending
		p.pending = Notice{}
		p.mu.Unlock()
		for _, text := range split(n, p.Name, store.MaxNotice) {
			if err := p.Carrier.Notify(ctx, text); err != nil {
				p.Log.Warn("the other servers could not be told what to look at; they are told to look at everything next", "error", err)
				wait(ctx, retry)
				p.Tell(Notice{All: true})
				break
			}
		}
	}
}

// listen hears what others say, and begins anew when it ends.
func (p *Peers) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := p.Carrier.Listen(ctx, func() error { return p.ready(ctx) }, func(text []byte) error { return p.hear(ctx, text) })
		p.mu.Lock()
		p.period = 0
		p.mu.Unlock()
		p.Cut()
		if ctx.Err() == nil {
			p.Log.Warn("the other servers are not heard; nothing is remembered of agents until they are", "error", err)
			wait(ctx, retry)
		}
	}
}

func (p *Peers) ready(ctx context.Context) error {
	p.mu.Lock()
	p.periods++
	p.period = p.periods
	p.mu.Unlock()
	return p.Ready(ctx)
}

func (p *Peers) hear(ctx context.Context, text []byte) error {
	var n Notice
	if err := json.Unmarshal(text, &n); err != nil { // of a newer version, or not of a server
		p.Log.Warn("a notice between servers was not understood; everything is looked at", "error", err)
		n = Notice{All: true}
	}
	if n.From == p.Name {
		return nil
	}
	return p.Hear(ctx, n)
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// split writes a notice down in texts of at most so many bytes.
func split(n Notice, from string, most int) [][]byte {
	var texts [][]byte
	now := Notice{From: from, All: n.All, Documents: n.Documents}
	size := len(text(now))
	for _, one := range n.things() {
		more := len(text(one)) // more than it adds
		if size+more > most {
			texts = append(texts, text(now))
			now, size = Notice{From: from}, len(text(Notice{From: from}))
		}
		if size+more > most { // too long to be named
			one, more = Notice{All: true}, 0
		}
		now.add(one)
		size += more
	}
	return append(texts, text(now))
}

// things are what a notice names, each in one of its own.
func (n Notice) things() (all []Notice) {
	for i := range n.Due {
		all = append(all, Notice{Due: n.Due[i : i+1]})
	}
	for i := range n.Calls {
		all = append(all, Notice{Calls: n.Calls[i : i+1]})
	}
	for i := range n.Customers {
		all = append(all, Notice{Customers: n.Customers[i : i+1]})
	}
	for i := range n.Moved {
		all = append(all, Notice{Moved: n.Moved[i : i+1]})
	}
	return all
}

func text(n Notice) []byte {
	b, _ := json.Marshal(n) // texts and truths always encode
	return b
}
