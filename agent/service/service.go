// Package service makes the agent a service of the operating system, and takes it away again
// without a trace.
//
// On Linux the unit is our own: kept as tight as installing packages allows, and as tight as
// reading allows for an agent that only observes.
package service

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"patchbay/wire"
)

// Name is the service's name.
const Name = "patchbay-agent"

// Options say what to install.
type Options struct {
	State string // the agent's state directory
	Mode  wire.Mode
	// Environment is of the one who installs, such as of os.Environ: what it says of proxies
	// the service is to know too.
	Environment []string
}

// ErrRights means that this takes an administrator.
var ErrRights = errors.New("this needs administrator rights: run it as root")

// RemoveState removes the agent's state directory with the key. A directory that holds no
// agent's files is somebody else's and stays.
func RemoveState(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing the state directory: %w", err)
	}
	ours := func(e fs.DirEntry) bool {
		return e.Name() == "lock" || e.Name() == "identity.json" || e.Name() == "invitation.json"
	}
	if len(entries) > 0 && !slices.ContainsFunc(entries, ours) {
		return fmt.Errorf("%s is not an agent's state directory: it is left alone", path)
	}
	if err := removeAll(path); err != nil {
		return fmt.Errorf("removing the state directory: %w", err)
	}
	return nil
}

// removeAll removes a folder, entry by entry where the system cannot do it at once.
func removeAll(path string) error {
	if os.RemoveAll(path) == nil {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		below := filepath.Join(path, e.Name())
		if e.IsDir() {
			err = errors.Join(err, removeAll(below))
		} else {
			err = errors.Join(err, os.Remove(below))
		}
	}
	return errors.Join(err, os.Remove(path))
}

// copyProgram copies the running program to its place, replacing one that is there.
func copyProgram(to string) error {
	from, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if from, err = filepath.EvalSymlinks(from); err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if from == to {
		return nil
	}
	if err := copyFile(from, to); err != nil {
		return fmt.Errorf("copying this program to %s: %w", to, err)
	}
	return nil
}

// copyFile replaces a file in one step, so that one that runs goes on running.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(to), ".patchbay-agent-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Chmod(0o755)
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = os.Rename(out.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}
