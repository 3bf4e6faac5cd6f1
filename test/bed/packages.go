package bed

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// pkg is one version of one package of the archive. What each is there to show
// is told once, in the table of README.md.
type pkg struct {
	name      string
	step      string // "1.0", "1.1", "1.2": what Publish calls it
	version   string // the step, unless said otherwise
	arch      string // "all", unless said otherwise
	fields    []string
	files     map[string]string // by path below /
	programs  map[string]string // the same, to be run
	conffiles []string
	scripts   map[string]string // preinst, postinst, prerm, postrm
	triggers  string            // its triggers file
	blob      int64             // bytes of a big file in it
	claims    int               // Installed-Size in KiB; 0: the truth
}

// BlobSize is how much bed-big and bed-swollen unpack from version 1.1 on. A
// device with a Disk of less than twice this has no room for both the old lists
// and one of them.
const BlobSize = 64 << 20

// SlowStarted and SlowRelease steer bed-slow: its postinst makes the first file
// and waits for the second, for at most two minutes.
const (
	SlowStarted = "/run/bed-slow.started"
	SlowRelease = "/run/bed-slow.release"
)

// catalog is everything the archive can publish. native is the machine's own
// Debian architecture.
func catalog(native string) []pkg {
	var all []pkg
	for _, step := range []string{"1.0", "1.1", "1.2"} {
		all = append(all, plain(step, native)...)
		all = append(all, faulty(step)...)
	}
	all = append(all, pkg{name: "bed-new", step: "1.1"}, pkg{name: "bed-victim", step: "1.0"})
	all = append(all, haltable()...)
	all = append(all, pkg{name: "bed-stuck", step: "1.0",
		scripts: map[string]string{"prerm": "if [ \"$1\" = remove ]; then echo 'bed-stuck: deliberate failure' >&2; exit 1; fi"}})
	seen := map[string]bool{}
	for i := range all {
		p := &all[i]
		if seen[p.name+" "+p.step] {
			panic("bed: " + p.name + " " + p.step + " is there twice, and only one of them would be published")
		}
		seen[p.name+" "+p.step] = true
		if p.version == "" {
			p.version = p.step
		}
		if p.arch == "" {
			p.arch = "all"
		}
		if p.files == nil {
			p.files = map[string]string{}
		}
		p.files["usr/share/"+p.name+"/version"] = p.version + "\n"
	}
	return all
}

// plain packages go well, each in a way of its own.
func plain(step, native string) []pkg {
	later := step != "1.0"
	grow := pkg{name: "bed-grow", step: step}
	reboot := pkg{name: "bed-reboot", step: step}
	slow := pkg{name: "bed-slow", step: step}
	if later {
		grow.fields = []string{"Depends: bed-new"}
		reboot.scripts = map[string]string{"postinst": "touch /run/reboot-required\necho bed-reboot >> /run/reboot-required.pkgs"}
		slow.scripts = map[string]string{"postinst": strings.Join([]string{
			"touch " + SlowStarted, "n=0",
			"while [ ! -e " + SlowRelease + " ] && [ $n -lt 1200 ]; do sleep 0.1; n=$((n+1)); done",
		}, "\n")}
	}
	minor := strings.TrimPrefix(step, "1.")
	return []pkg{
		{name: "bed-lib", step: step, arch: native, fields: []string{"Multi-Arch: same"}},
		{name: "bed-app", step: step, fields: []string{"Depends: bed-lib (>= " + step + ")"}},
		grow, reboot, slow,
		{name: "bed-conf", step: step, conffiles: []string{"/etc/bed-conf.conf"},
			files: map[string]string{"etc/bed-conf.conf": "setting=default-" + step + "\n"}},
		{name: "bed-engine", step: step, arch: native, programs: map[string]string{enginePath: engine(step)}},
		{name: "bed-service", step: step, fields: []string{"Depends: bed-engine"},
			files: map[string]string{"lib/systemd/system/bed-service.service": "[Service]\nExecStart=/" + enginePath + "\n"}},
		{name: "bed-tools", step: step, arch: native, version: fmt.Sprintf("2:%s-1+b%s", step, minor),
			fields: []string{fmt.Sprintf("Source: bed-suite (1:%s.7-1)", step)}},
	}
}

const enginePath = "usr/lib/bed-engine/engine"

// engine is a whole program for amd64 that waits until it is told to end, and no byte more
// than that takes: a service that maps a file of a package needs one that any system runs.
func engine(step string) string {
	const base, header, segment = 0x400000, 64, 56
	code := []byte{0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7} // pause(), for ever
	size := uint64(header + segment + len(code) + len(step))
	le := binary.LittleEndian
	b := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	for _, v := range []uint16{2, 62} { // a program, for this processor
		b = le.AppendUint16(b, v)
	}
	b = le.AppendUint32(b, 1)
	for _, v := range []uint64{base + header + segment, header, 0} { // where it begins, its segments, its sections
		b = le.AppendUint64(b, v)
	}
	b = le.AppendUint32(b, 0)
	for _, v := range []uint16{header, segment, 1, 0, 0, 0} {
		b = le.AppendUint16(b, v)
	}
	for _, v := range []uint32{1, 5} { // to be loaded, read and run
		b = le.AppendUint32(b, v)
	}
	for _, v := range []uint64{0, base, base, size, size, 0x1000} {
		b = le.AppendUint64(b, v)
	}
	return string(append(b, code...)) + step
}

// faulty packages go wrong at 1.1; where 1.2 is sound, it is the repair.
func faulty(step string) []pkg {
	badpost, badpre := pkg{name: "bed-badpost", step: step}, pkg{name: "bed-badpre", step: step}
	broken, evict := pkg{name: "bed-broken", step: step}, pkg{name: "bed-evict", step: step}
	big, swollen := pkg{name: "bed-big", step: step}, pkg{name: "bed-swollen", step: step}
	oust := pkg{name: "bed-oust", step: step}
	if step == "1.1" {
		oust.fields = []string{"Conflicts: bed-stuck"}
		badpost.scripts = map[string]string{"postinst": "echo 'bed-badpost: deliberate failure' >&2\nexit 1"}
		badpre.scripts = map[string]string{"preinst": "echo 'bed-badpre: deliberate failure' >&2\nexit 1"}
		broken.fields = []string{"Depends: bed-nowhere"}
		evict.fields = []string{"Conflicts: bed-victim"}
	}
	if step != "1.0" {
		big.blob, swollen.blob, swollen.claims = BlobSize, BlobSize, 1
	}
	return []pkg{badpost, badpre, broken, evict, oust, big, swollen, service(step)}
}

// service is bed-daemon: in 1.1 its program ends at once, and its installation fails for it.
func service(step string) pkg {
	program := "sleep infinity"
	if step == "1.1" {
		program = "sh -c 'echo bed-daemon: deliberate failure >&2; exit 1'"
	}
	return pkg{name: "bed-daemon", step: step,
		files:   map[string]string{"lib/systemd/system/bed-daemon.service": "[Service]\nType=exec\nExecStart=/usr/bin/" + program + "\n"},
		scripts: map[string]string{"postinst": "systemctl daemon-reload\nsystemctl restart bed-daemon\nsleep 0.5\nsystemctl is-active --quiet bed-daemon || { echo 'bed-daemon does not run' >&2; exit 1; }"},
	}
}

// control is the package's control file.
func (p pkg) control() string {
	size := p.claims
	if size == 0 {
		size = int(p.blob>>10) + 8
	}
	lines := []string{
		"Package: " + p.name, "Version: " + p.version, "Architecture: " + p.arch,
		"Maintainer: Test Bed <bed@example.invalid>", "Section: misc", "Priority: optional",
		fmt.Sprintf("Installed-Size: %d", size),
	}
	lines = append(lines, p.fields...)
	lines = append(lines, "Description: package of the test bed", " Made to be upgraded.", "")
	return strings.Join(lines, "\n")
}

// deb is the package's file name: without the epoch, as everywhere in Debian.
func (p pkg) deb() string {
	version := p.version
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	return fmt.Sprintf("%s_%s_%s.deb", p.name, version, p.arch)
}

// tree is all of the package's files as dpkg-deb wants them.
func (p pkg) tree() []file {
	files := []file{{"DEBIAN/control", p.control(), 0o644}}
	for path, text := range p.files {
		files = append(files, file{path, text, 0o644})
	}
	for path, text := range p.programs {
		files = append(files, file{path, text, 0o755})
	}
	for name, text := range p.scripts {
		files = append(files, file{"DEBIAN/" + name, "#!/bin/sh\nset -e\n" + text + "\n", 0o755})
	}
	if p.triggers != "" {
		files = append(files, file{"DEBIAN/triggers", p.triggers + "\n", 0o644})
	}
	if len(p.conffiles) > 0 {
		files = append(files, file{"DEBIAN/conffiles", strings.Join(p.conffiles, "\n") + "\n", 0o644})
	}
	return files
}
