package facts

import (
	"encoding/binary"
	"io"
	"io/fs"
	"strings"

	"patchbay/provider"
)

// LoggedIn reports whether somebody is logged in, by what Windows says, or what systemd keeps
// of sessions and the older record that programs without it write.
func LoggedIn(host provider.Host) bool {
	if m, ok := host.(provider.MachineHost); ok {
		return m.Machine().People
	}
	files := host.Files()
	return inSession(files) || inRecord(files)
}

func inSession(files fs.FS) bool {
	names, _ := fs.Glob(files, "run/systemd/sessions/*")
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		text := "\n" + string(b)
		if err == nil && strings.Contains(text, "\nCLASS=user\n") && !strings.Contains(text, "\nSTATE=closing\n") {
			return true
		}
	}
	return false
}

// inRecord reads utmp(5): records of one size, each beginning with its type, the system's
// own byte order and two bytes wide.
func inRecord(files fs.FS) bool {
	const size, userProcess, most = 384, 7, 10_000
	f, err := files.Open("run/utmp")
	if err != nil {
		return false
	}
	defer f.Close()
	record := make([]byte, size)
	for range most {
		if _, err := io.ReadFull(f, record); err != nil {
			return false
		}
		if binary.NativeEndian.Uint16(record) == userProcess {
			return true
		}
	}
	return false
}
