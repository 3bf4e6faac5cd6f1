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

// memory is a disk that can be cut: at its nth write it stops, before or after the bytes
// are there, or in the middle of them.
type memory struct {
	mu     sync.Mutex
	files  map[string][]byte
	writes int
	cutAt  int    // 0 never
	how    string // "before", "torn", "after"
	cut    func() // called once
	dead   bool
}

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

// write stores what is there after a write of this many more bytes; torn is what a cut in
// the middle leaves.
func (m *memory) write(name string, whole, torn []byte) error {
	if m.dead {
		return errCut
	}
	m.writes++
	if m.writes != m.cutAt {
		m.files[name] = whole
		return nil
	}
	switch m.how {
	case "torn":
		m.files[name] = torn
	case "after":
		m.files[name] = whole
	}
	m.dead = true
	if m.cut != nil {
		m.cut()
	}
	return errCut
}

func (m *memory) Write(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.how == "torn" && m.writes+1 == m.cutAt { // a whole file is never half there
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
	delete(m.files, name)
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
