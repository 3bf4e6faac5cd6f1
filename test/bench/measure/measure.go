// Package measure is what the benches share: the form of a figure, and what a process costs.
package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Figure prints one line; other is what it is compared with, 0 for nothing.
func Figure(name string, value float64, unit, than string, other float64, bound string) {
	beside, ratio := "-", "-"
	if other != 0 {
		beside, ratio = fmt.Sprintf("%.1f", other), fmt.Sprintf("%.2f", value/other)
	}
	unit = cmp.Or(unit, "-") // a field that is left out would shift those behind it
	fmt.Printf("FIGURE %s %.1f %s %s %s %s %s\n", name, value, unit, than, beside, ratio, bound)
}

// Spawn starts a program whose words go to a file.
func Spawn(ctx context.Context, log string, args ...string) (*exec.Cmd, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Stdout, cmd.Stderr = out, out
	return cmd, cmd.Start()
}

// ProcessorTime is what all threads of a process have used, to the nanosecond.
func ProcessorTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("process %d has ended or tells no times: %w", pid, err)
	}
	var total time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has ended
		}
		ran, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading %s: %w", file, err)
		}
		total += time.Duration(ns)
	}
	return total, nil
}

// ResidentKB is the memory of a process that is in memory.
func ResidentKB(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, errors.New("no VmRSS")
}
