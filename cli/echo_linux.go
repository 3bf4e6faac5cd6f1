package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// hideInput stops the terminal from showing what is typed and returns what shows it again.
// Anything that is no terminal is left alone.
func hideInput(in io.Reader) (restore func()) {
	f, ok := in.(*os.File)
	if !ok {
		return func() {}
	}
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {}
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &quiet); err != nil {
		return func() {}
	}
	return func() {
		// Nothing better can be done when this fails than to go on.
		_ = unix.IoctlSetTermios(fd, unix.TCSETS, before)
		os.Stderr.WriteString("\n")
	}
}
