package bed

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// file is a file to be written below a root directory.
type file struct {
	path, text string
	mode       os.FileMode
}

// writeFiles writes files below root. It follows no link out of it: a device's
// absolute links would otherwise lead into this machine.
func writeFiles(root string, files []file) error {
	r, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range files {
		name := strings.TrimPrefix(path.Clean(f.path), "/")
		if err := r.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := r.WriteFile(name, []byte(f.text), f.mode); err != nil {
			return err
		}
		if err := r.Chmod(name, f.mode); err != nil { // whatever the umask
			return err
		}
	}
	return nil
}

// PutFile writes a file into the device, running or not; directories on the way are made.
// Nothing is started meanwhile by this process: for a moment the new one would have the file
// open for writing too, and nobody could run it ("text file busy").
func (d *Device) PutFile(name, text string, mode os.FileMode) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := writeFiles(d.view(), []file{{name, text, mode}}); err != nil {
		return fmt.Errorf("writing %s on %s: %w", name, d.Name, err)
	}
	return nil
}

// CopyFile copies a file of the host, such as a program under test, into the device.
func (d *Device) CopyFile(from, name string, mode os.FileMode) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return d.PutFile(name, string(text), mode)
}

// ReadFile reads a file of the device from the host. What is below /run exists
// only while the device runs, as on any machine.
func (d *Device) ReadFile(name string) ([]byte, error) {
	r, err := os.OpenRoot(d.view())
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.ReadFile(strings.TrimPrefix(path.Clean(name), "/"))
}

// WaitFile returns when the device has the file, or with ctx's error.
func (d *Device) WaitFile(ctx context.Context, name string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := d.ReadFile(name); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s on %s: %w", name, d.Name, ctx.Err())
		case <-tick.C:
		}
	}
}
