package years

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"patchbay/agent/disk"
)

// memory is an agent's disk. At a write of the seed's choice it is cut off.
type memory struct {
	mu      sync.Mutex
	files   map[string][]byte
	removed map[string][]byte // since the last durable write
	writes  int
	cutAt   int // 0 never
	how     how
	full    time.Time // until then nothing can be written
	dead    bool
	cut     func(how)                      // is told, once
	durable func(name string, data []byte) // is told what an append left on the disk
}

// how a disk is cut at a write.
type how string

const (
	before   how = "before the write"         // nothing of it is there
	torn     how = "in the middle of a write" // half of it is, and the power is gone
	after    how = "after the write"          // all of it is, and nobody hears so
	unsynced how = "at an unsynced write"     // nothing of it is there, what was removed before is back, and the power is gone
)

var (
	errCut  = errors.New("the power is gone")
	errFull = errors.New("no space left on device")
)

func newMemory() *memory { return &memory{files: map[string][]byte{}} }

// Read gives a whole file.
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
func (m *memory) write(name string, whole, half []byte, added []byte) error {
	if m.dead {
		return errCut
	}
	if time.Now().Before(m.full) {
		return errFull
	}
	m.writes++
	here := m.writes == m.cutAt
	switch {
	case !here || m.how == after:
		m.files[name] = whole
		clear(m.removed)
		if added != nil {
			m.durable(name, added)
		}
	case m.how == torn:
		if half != nil {
			m.files[name] = half
		}
	case m.how == unsynced:
		maps.Copy(m.files, m.removed)
	}
	if here {
		return m.die()
	}
	return nil
}

func (m *memory) die() error {
	m.dead = true
	m.cut(m.how)
	return errCut
}

// Write replaces a whole file, which is never half there.
func (m *memory) Write(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(name, bytes.Clone(data), nil, nil)
}

// Log opens a file to append to.
func (m *memory) Log(name string, size int64) (disk.Log, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, errCut
	}
	m.files[name] = m.files[name][:size:size]
	return &memoryLog{m, name}, nil
}

// Remove removes a file, which is not durable before the next write.
func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errCut
	}
	if data, ok := m.files[name]; ok {
		if m.removed == nil {
			m.removed = map[string][]byte{}
		}
		m.removed[name] = data
		delete(m.files, name)
	}
	return nil
}

// revive is the disk for the next life.
func (m *memory) revive() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{files: maps.Clone(m.files), full: m.full, durable: m.durable}
}

// stop ends all writing, as when the process is killed.
func (m *memory) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

type memoryLog struct {
	m    *memory
	name string
}

// Append adds to the file.
func (l *memoryLog) Append(data []byte) error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	old := l.m.files[l.name]
	return l.m.write(l.name, slices.Concat(old, data), slices.Concat(old, data[:len(data)/2]), data)
}

// Close closes nothing.
func (l *memoryLog) Close() error { return nil }
