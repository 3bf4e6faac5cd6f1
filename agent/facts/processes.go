package facts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// processes is what was found of those that use files which are no longer there: an update
// put other files in their place, and they go on with the old ones.
type processes struct {
	old     map[string]bool // services, or programs that belong to none
	seen    int
	hidden  int // those that may not be looked at
	problem string
}

// maxMaps bounds how much of one process's list of files is read.
const maxMaps = 8 << 20

// readProcesses looks at every process of this system. Those of containers, which have a
// root of their own, belong to other devices.
func readProcesses(ctx context.Context, files fs.FS) processes {
	p := processes{old: map[string]bool{}}
	entries, err := fs.ReadDir(files, "proc")
	if err != nil {
		p.problem = "The running processes could not be listed: " + err.Error() + "."
		return p
	}
	root, _ := fs.Stat(files, "proc/self/root")
	own, _ := fs.ReadLink(files, "proc/self/ns/mnt")
	for _, e := range entries {
		if ctx.Err() != nil {
			p.problem = "The running processes could not all be read in time."
			return p
		}
		if strings.Trim(e.Name(), "0123456789") == "" {
			p.read(files, path.Join("proc", e.Name()), root, own)
		}
	}
	return p
}

func (p *processes) read(files fs.FS, dir string, root fs.FileInfo, own string) {
	space, err := fs.ReadLink(files, path.Join(dir, "ns/mnt"))
	if errors.Is(err, fs.ErrPermission) {
		if !isKernelThread(files, dir) {
			p.seen++
			p.hidden++
		}
		return
	}
	if err != nil {
		return // it has ended meanwhile
	}
	if space != own && !sameRoot(files, dir, root) {
		return
	}
	old, err := usesOldFiles(files, dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		p.seen++
		p.hidden++
	case err == nil:
		p.seen++
		if old {
			p.old[belongsTo(files, dir)] = true
		}
	}
}

// sameRoot tells a service with a mount table of its own from a container.
func sameRoot(files fs.FS, dir string, root fs.FileInfo) bool {
	info, err := fs.Stat(files, path.Join(dir, "root"))
	return err == nil && root != nil && os.SameFile(info, root)
}

// isKernelThread knows the kernel's own by their parent, which anybody may read.
func isKernelThread(files fs.FS, dir string) bool {
	b, err := fs.ReadFile(files, path.Join(dir, "stat"))
	if err != nil {
		return true // gone
	}
	after := b[bytes.LastIndexByte(b, ')')+1:]
	f := bytes.Fields(after)
	return path.Base(dir) == "2" || len(f) > 1 && string(f[1]) == "2"
}

// usesOldFiles reads what a process has mapped.
func usesOldFiles(files fs.FS, dir string) (bool, error) {
	f, err := files.Open(path.Join(dir, "maps"))
	if err != nil {
		return false, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMaps))
	return hasOldFile(b), err
}

var deleted = []byte(" (deleted)\n")

// hasOldFile looks for a mapped file of the system that is not there any more.
func hasOldFile(maps []byte) bool {
	if !bytes.Contains(maps, deleted) {
		return false
	}
	for line := range bytes.Lines(maps) {
		name, ok := bytes.CutSuffix(line, deleted)
		if !ok {
			continue
		}
		i := bytes.IndexByte(name, '/')
		fields := bytes.Fields(line)
		if i < 0 || len(fields) < 6 {
			continue
		}
		if isSystemFile(string(name[i:])) {
			return true
		}
	}
	return false
}

// isSystemFile leaves out what programs make and remove for themselves: memory files,
// shared memory, drafts. Only what packages install is a reason.
func isSystemFile(name string) bool {
	for _, top := range []string{"/usr/", "/lib", "/bin/", "/sbin/", "/opt/"} {
		if strings.HasPrefix(name, top) {
			return true
		}
	}
	return false
}

// belongsTo names the service of a process, or the program when it is of no service.
func belongsTo(files fs.FS, dir string) string {
	b, _ := fs.ReadFile(files, path.Join(dir, "cgroup"))
	if unit := unitOf(string(b)); unit != "" {
		return unit
	}
	if name := word(files, path.Join(dir, "comm")); name != "" {
		return name
	}
	return "process " + path.Base(dir)
}

// unitOf finds the systemd service in the list of a process's groups. Of nested ones the
// system's own counts: what runs in a user's session is that session's.
func unitOf(cgroup string) string {
	for line := range strings.Lines(cgroup) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || f[1] != "" && f[1] != "name=systemd" {
			continue
		}
		for part := range strings.SplitSeq(f[2], "/") {
			if strings.HasSuffix(part, ".service") {
				return strings.ToValidUTF8(part[:min(len(part), maxWord)], "")
			}
		}
	}
	return ""
}

func (p processes) services() []string {
	names := make([]string, 0, len(p.old))
	for name := range p.old {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p processes) unknown() []string {
	if p.problem != "" {
		return []string{p.problem}
	}
	if p.hidden > 0 {
		return []string{fmt.Sprintf("%d of %d processes could not be looked at: they belong to other users, or are protected.", p.hidden, p.seen)}
	}
	return nil
}
