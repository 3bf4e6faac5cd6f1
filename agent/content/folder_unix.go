//go:build unix

package content

import (
	"errors"
	"os"
	"syscall"
)

// own leaves the folder to this account alone.
func own(path string) error { return os.Chmod(path, 0o700) }

// openAlone opens a file for reading. The folder is this account's alone, so nobody else can
// change what is in it; a link is not followed.
func openAlone(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}

// syncDir makes a rename in the folder durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func freeSpace(path string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
