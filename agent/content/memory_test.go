package content

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"sync"
	"time"

	"patchbay/provider"
)

// memory is a folder that can be cut: at its nth write it stops.
type memory struct {
	mu    sync.Mutex
	files map[string]*page
	free  int64

	writes int
	cutAt  int // 0 never
	how    how
	dead   bool
}

// page is a file: what was written, and how much of that is on the disk.
type page struct {
	data   []byte
	synced int
	used   time.Time
}

// how a folder is cut at a write.
type how string

const (
	before   how = "before"   // nothing of it is there
	torn     how = "torn"     // half of it is
	after    how = "after"    // all of it is, and nobody hears so
	unsynced how = "unsynced" // what was not made durable is lost: its place holds other bytes
)

var errCut = errors.New("the power is gone")

func newMemory() *memory { return &memory{files: map[string]*page{}, free: 1 << 50} }

// effect has one: do does it, half does half of it.
func (m *memory) effect(do, half func()) error {
	if m.dead {
		return errCut
	}
	m.writes++
	if m.writes != m.cutAt {
		do()
		return nil
	}
	m.dead = true
	switch m.how {
	case torn:
		half()
	case after:
		do()
	case unsynced:
		do()
		for _, p := range m.files {
			for i := p.synced; i < len(p.data); i++ {
				p.data[i] = 0
			}
		}
	}
	return errCut
}

// revive is the folder after the power came back.
func (m *memory) revive() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := newMemory()
	for name, p := range m.files {
		n.files[name] = &page{bytes.Clone(p.data), len(p.data), p.used}
	}
	return n
}

func (m *memory) List() ([]Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Info
	for name, p := range m.files {
		all = append(all, Info{name, int64(len(p.data)), p.used})
	}
	return all, nil
}

func (m *memory) Stat(name string) (Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.files[name]
	if p == nil {
		return Info{}, fs.ErrNotExist
	}
	return Info{name, int64(len(p.data)), p.used}, nil
}

func (m *memory) Open(name string) (provider.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.files[name]
	if p == nil {
		return nil, fs.ErrNotExist
	}
	return &reading{bytes.NewReader(bytes.Clone(p.data)), name}, nil
}

type reading struct {
	*bytes.Reader
	name string
}

func (r *reading) Close() error { return nil }
func (r *reading) Path() string { return r.name }
func (r *reading) Fd() uintptr  { return 0 }

func (m *memory) Append(name string, size int64) (Writer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.files[name]
	if p == nil {
		p = &page{}
	}
	err := m.effect(func() {
		p.data = append([]byte{}, p.data[:size]...)
		p.synced = min(p.synced, len(p.data))
		m.files[name] = p
	}, func() {})
	return &growing{m, p}, err
}

type growing struct {
	m *memory
	p *page
}

func (g *growing) Write(b []byte) (int, error) {
	g.m.mu.Lock()
	defer g.m.mu.Unlock()
	g.p.used = now
	err := g.m.effect(func() { g.p.data = append(g.p.data, b...) }, func() { g.p.data = append(g.p.data, b[:len(b)/2]...) })
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (g *growing) Sync() error {
	g.m.mu.Lock()
	defer g.m.mu.Unlock()
	return g.m.effect(func() { g.p.synced = len(g.p.data) }, func() {})
}

func (g *growing) Close() error { return nil }

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[from] == nil && !m.dead {
		return fs.ErrNotExist
	}
	return m.effect(func() {
		m.files[to] = m.files[from]
		delete(m.files, from)
	}, func() {})
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.effect(func() { delete(m.files, name) }, func() {})
}

func (m *memory) Use(name string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.effect(func() {
		if p := m.files[name]; p != nil {
			p.used = at
		}
	}, func() {})
}

func (m *memory) Free() (int64, error) { return m.free, nil }

// names are those of all files.
func (m *memory) names() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string]int{}
	for name, p := range maps.All(m.files) {
		all[name] = len(p.data)
	}
	return all
}

var _ io.ReaderAt = (*reading)(nil)
