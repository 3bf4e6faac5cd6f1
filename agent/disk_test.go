package agent

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"patchbay/agent/disk"
)

// memory is a disk that can be cut: at its nth write it stops. A removal counts as a write;
// unlike the others it is not durable before the next one.
type memory struct {
	mu      sync.Mutex
	files   map[string][]byte
	removed map[string][]byte // since the last durable write
	writes  int
	cutAt   int // 0 never
	how     how
	cut     func() // called once
	dead    bool
	lost    chan struct{} // closed once dead, where somebody waits for it
}

// how a disk is cut at a write.
type how string

const (
	before   how = "before"   // nothing of it is there
	torn     how = "torn"     // half of it is
	after    how = "after"    // all of it is, and nobody hears so
	unsynced how = "unsynced" // nothing of it is there, and what was removed before is back
)

var errCut = errors.New("the power is gone")

func (m *memory) Read(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(data), nil
}

// write stores what is there after a write; half is what a cut in the middle leaves.
func (m *memory) write(name string, whole, half []byte) error {
	if m.dead {
		return errCut
	}
	m.writes++
	if m.writes != m.cutAt {
		m.files[name] = whole
		clear(m.removed)
		return nil
	}
	switch m.how {
	case torn:
		m.files[name] = half
	case after:
		m.files[name] = whole
	case unsynced:
		maps.Copy(m.files, m.removed)
	}
	return m.die()
}

func (m *memory) die() error {
	m.dead = true
	if m.lost != nil {
		close(m.lost)
	}
	if m.cut != nil {
		m.cut()
	}
	return errCut
}

// moment counts as a write does, though nothing is written: the agent may be stopped here.
// It reports whether it was.
func (m *memory) moment() (here bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return false, errCut
	}
	if m.writes++; m.writes == m.cutAt {
		return true, m.die()
	}
	return false, nil
}

// gone is closed when the agent is stopped.
func (m *memory) gone() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lost == nil {
		m.lost = make(chan struct{})
		if m.dead {
			close(m.lost)
		}
	}
	return m.lost
}

func (m *memory) Write(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.how == torn && m.writes+1 == m.cutAt { // a whole file is never half there
		old, ok := m.files[name]
		if !ok {
			old = nil
		}
		err := m.write(name, data, old)
		if !ok {
			delete(m.files, name)
		}
		return err
	}
	return m.write(name, bytes.Clone(data), nil)
}

func (m *memory) Log(name string, size int64) (disk.Log, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, errCut
	}
	m.files[name] = m.files[name][:size:size]
	return &memoryLog{m, name}, nil
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errCut
	}
	m.writes++
	cut := m.writes == m.cutAt
	if data, ok := m.files[name]; ok && (!cut || m.how == torn || m.how == after) {
		if m.removed == nil {
			m.removed = map[string][]byte{}
		}
		m.removed[name] = data
		delete(m.files, name)
	}
	if cut {
		return m.die()
	}
	return nil
}

// revive is the disk after the power came back.
func (m *memory) revive() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{files: maps.Clone(m.files)}
}

type memoryLog struct {
	m    *memory
	name string
}

func (l *memoryLog) Append(data []byte) error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	old := l.m.files[l.name]
	return l.m.write(l.name, slices.Concat(old, data), slices.Concat(old, data[:len(data)/2]))
}

func (l *memoryLog) Close() error { return nil }
