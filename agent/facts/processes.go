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
	"strconv"
	"strings"

	"patchbay/wire"
)

// processes is what was found of those that use files which are no longer there: an update
// put other files in their place, and they go on with the old ones.
type processes struct {
	old     map[string]*use // by service, or by program where it belongs to none
	files   int             // in old, over all
	more    bool            // there were more than are kept
	seen    int
	hidden  []string // folders of those that may not be looked at
	problem string
	buffer  []byte // for one process's list of files, used again for the next
}

// use is the replaced files that one service uses.
type use struct {
	processes int
	files     map[string]bool
	dirs      []string // of the processes, below the root
}

// Bounds of what a device may make this read and tell.
const (
	maxMaps  = 8 << 20 // of one process's list of files
	maxUses  = 100     // services
	maxFiles = 2000    // replaced files, over all services
)

// readProcesses looks at every process of this system. Those of containers, which have a
// root of their own, belong to other devices.
func readProcesses(ctx context.Context, files fs.FS) processes {
	p := processes{old: map[string]*use{}, buffer: make([]byte, 64<<10)}
	entries, err := fs.ReadDir(files, "proc")
	if err != nil {
		p.problem = "The running processes could not be listed: " + err.Error() + "."
		return p
	}
	if !exists(files, "proc/1") { // there always is one
		p.problem = "The running processes of other users are hidden from this program."
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
			p.hidden = append(p.hidden, dir)
		}
		return
	}
	if err != nil {
		return // it has ended meanwhile
	}
	if space != own && !sameRoot(files, dir, root) {
		return
	}
	maps, err := p.maps(files, dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		p.seen++
		p.hidden = append(p.hidden, dir)
	case err == nil:
		p.seen++
		if old := oldFiles(maps); len(old) > 0 {
			p.note(belongsTo(files, dir), dir, old)
		}
	}
}

// note keeps that a process of a service uses old files.
func (p *processes) note(service, dir string, old []string) {
	u := p.old[service]
	if u == nil {
		if len(p.old) >= maxUses {
			p.more = true
			return
		}
		u = &use{files: map[string]bool{}}
		p.old[service] = u
	}
	u.processes++
	u.dirs = append(u.dirs, dir)
	for _, name := range old {
		if u.files[name] {
			continue
		}
		if p.files >= maxFiles {
			p.more = true
			return
		}
		u.files[name] = true
		p.files++
	}
}

// sameRoot tells a service with a mount table of its own from a container.
func sameRoot(files fs.FS, dir string, root fs.FileInfo) bool {
	info, err := fs.Stat(files, path.Join(dir, "root"))
	return err == nil && root != nil && os.SameFile(info, root)
}

// isKernelThread knows the kernel's own by their parent, which anybody may read.
func isKernelThread(files fs.FS, dir string) bool {
	f := stat(files, dir)
	return len(f) == 0 || path.Base(dir) == "2" || len(f) > 1 && string(f[1]) == "2" // gone, its parent, its child
}

// stat is what the kernel tells anybody of a process, from the third field of
// proc_pid_stat(5) on: the name before may hold anything.
func stat(files fs.FS, dir string) [][]byte {
	b, err := fs.ReadFile(files, path.Join(dir, "stat"))
	if err != nil {
		return nil
	}
	return bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
}

// began is when a process was started, in clock ticks since the kernel was; false when it
// cannot be known.
func began(files fs.FS, dir string) (int64, bool) {
	const field = 22 - 3
	f := stat(files, dir)
	if len(f) <= field {
		return 0, false
	}
	n, err := strconv.ParseInt(string(f[field]), 10, 64)
	return n, err == nil && n >= 0
}

// maps reads what a process has mapped. The result is good until the next call.
func (p *processes) maps(files fs.FS, dir string) ([]byte, error) {
	f, err := files.Open(path.Join(dir, "maps"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n := 0
	for {
		if n == len(p.buffer) {
			if n >= maxMaps {
				p.more = true
				return p.buffer, nil
			}
			p.buffer = append(p.buffer, make([]byte, n)...)
		}
		got, err := f.Read(p.buffer[n:])
		n += got
		if errors.Is(err, io.EOF) {
			return p.buffer[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

var deleted = []byte(" (deleted)\n")

// oldFiles lists the mapped files of the system that are not there any more.
func oldFiles(maps []byte) []string {
	if !bytes.Contains(maps, deleted) {
		return nil
	}
	var old []string
	for line := range bytes.Lines(maps) {
		name, ok := bytes.CutSuffix(line, deleted)
		if !ok {
			continue
		}
		i := bytes.IndexByte(name, '/')
		if i < 0 || len(bytes.Fields(line)) < 6 || len(name)-i > maxPath {
			continue
		}
		if file := string(name[i:]); isSystemFile(file) && (len(old) == 0 || old[len(old)-1] != file) { // one per part of a file
			old = append(old, file)
		}
	}
	return old
}

// maxPath is the longest path that a program can open.
const maxPath = 4096

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
			if strings.HasSuffix(part, ".service") || part == "init.scope" { // the first process has no service
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

// uses says which packages the replaced files of each service are of, as they were found.
func (p processes) uses(of owners) []wire.OldUse {
	uses := make([]wire.OldUse, 0, len(p.old))
	for _, name := range p.services() {
		u := p.old[name]
		uses = append(uses, wire.OldUse{Service: name, Packages: of.all(u.files), Processes: u.processes})
	}
	return uses
}

// unknown says in sentences what could not be found out.
func (p processes) unknown(of owners) []string {
	var all []string
	if p.problem != "" {
		all = append(all, p.problem)
	} else if n := len(p.hidden); n > 0 {
		all = append(all, fmt.Sprintf("%d of %d processes could not be looked at: they belong to other users, or are protected.", n, p.seen))
	}
	if p.more {
		all = append(all, "More replaced files are in use than are told here.")
	}
	if of.problem != "" {
		all = append(all, of.problem)
	}
	for _, name := range p.services() {
		if of.strange(p.old[name].files) {
			all = append(all, fmt.Sprintf("%s uses replaced files, and nothing says of which package.", name))
			if len(all) > maxUnknown {
				break
			}
		}
	}
	return all
}

const maxUnknown = 20 // sentences
