//go:build unix

package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"patchbay/provider"
)

func TestExitCodeIsNoError(t *testing.T) {
	var lines []string
	res, err := Host{}.Run(t.Context(), provider.Command{
		Args: []string{"sh", "-c", "cat; echo; echo two; printf tail; exit 7"}, Input: "one",
		Line: func(l string) { lines = append(lines, l) },
	})
	if err != nil || res.Code != 7 || res.Stdout != "one\ntwo\ntail" {
		t.Errorf("got %+v, %v", res, err)
	}
	if strings.Join(lines, "|") != "one|two|tail" {
		t.Errorf("the lines were %q", lines)
	}
}

func TestEnvironmentIsClean(t *testing.T) {
	t.Setenv("LD_PRELOAD_OF_THE_TEST", "secret")
	t.Setenv("PATH", t.TempDir())
	res, err := Host{}.Run(t.Context(), provider.Command{Args: []string{"env"}, Env: []string{"EXTRA=yes"}})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(res.Stdout) {
		name, _, _ := strings.Cut(line, "=")
		switch name {
		case "LC_ALL", "PATH", "EXTRA", "PWD":
		default:
			t.Errorf("the program was given %s", line)
		}
	}
	if !strings.Contains(res.Stdout, "EXTRA=yes") || !strings.Contains(res.Stdout, "/usr/bin") {
		t.Errorf("got %q", res.Stdout)
	}
}

func TestProgramIsFoundInTheSystemsFoldersOnly(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	for _, name := range []string{"mine", "no-such-program", "../bin/sh", ""} {
		if _, err := (Host{}).Run(t.Context(), provider.Command{Args: []string{name}}); err == nil {
			t.Errorf("%q was run", name)
		}
	}
	_, err := Host{}.Run(t.Context(), provider.Command{Args: []string{"no-such-program"}})
	if !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("a program that is not there: %v", err)
	}
	if _, err := (Host{}).Run(t.Context(), provider.Command{}); err == nil {
		t.Error("nothing was run without an error")
	}
}

// TestEndedContextKillsTheWholeGroup: a package manager's children must not live on.
func TestEndedContextKillsTheWholeGroup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	pids := make(chan int, 1)
	_, err := Host{}.Run(ctx, provider.Command{
		Args: []string{"sh", "-c", "sleep 600 & echo $!; wait"},
		Line: func(l string) {
			pid, _ := strconv.Atoi(l)
			pids <- pid
			cancel()
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	pid := <-pids
	for range 500 { // a killed process is gone when its new parent has collected it
		if syscall.Kill(pid, 0) != nil || isZombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the child still runs")
}

func isZombie(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(b), ") Z ")
}

func TestOutputIsCutAndTheProgramGoesOn(t *testing.T) {
	var sink lineSink
	c := newCapture(&sink)
	c.limit = 10
	n, err := c.Write([]byte("0123456789abcdef"))
	if n != 16 || err != nil || c.kept.String() != "0123456789" {
		t.Errorf("wrote %d, %v, kept %q", n, err, c.kept.String())
	}
	var lines []string
	sink.call = func(l string) { lines = append(lines, l) }
	c.Write([]byte(strings.Repeat("x", 3*maxLine)))
	c.Write([]byte("\nnext\r\n"))
	if len(lines) != 2 || len(lines[0]) != maxLine || lines[1] != "next" {
		t.Errorf("got %d lines", len(lines))
	}
}
