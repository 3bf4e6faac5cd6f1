package service

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

const (
	logName = "agent.log"
	maxLog  = 1 << 20 // bytes; the one before is kept beside it
)

// Log is a file for what a service says that has nobody to say it to. It lies in the state
// directory, is for administrators only as all of it, and takes two megabytes at most.
func Log(state string) (io.WriteCloser, error) {
	l := &logFile{path: filepath.Join(state, logName), most: maxLog}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	return l, nil
}

type logFile struct {
	path string
	most int64

	mu   sync.Mutex
	f    *os.File
	size int64
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	l.f, l.size = f, info.Size()
	return nil
}

// Write appends a line, and begins a new file where this one is full. What cannot be written
// is lost: the agent goes on.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(p)) > l.most {
		_ = l.f.Close()
		if err := os.Rename(l.path, l.path+".1"); err != nil {
			_ = os.Truncate(l.path, 0)
		}
		if err := l.open(); err != nil {
			return 0, err
		}
	}
	n, err := l.f.Write(p)
	l.size += int64(n)
	return n, err
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Close()
}
