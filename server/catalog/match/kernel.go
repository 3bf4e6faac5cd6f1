package match

import (
	"regexp"
	"strings"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
)

// image is a package with a kernel that could be started; the version follows its name.
var image = regexp.MustCompile(`^linux-(?:image|modules)(?:-unsigned|-extra)?-(\d.*?)(?:-unsigned)?$`)

// rpmKernels are packages with a kernel, or parts of it that are loaded.
var rpmKernels = regexp.MustCompile(`^kernel((?:-rt|-64k|-debug|-zfcpdump|-uek|-default|-azure|-preempt)*)(?:-uki-virt|-base|-extra|-optional)?(?:-core|-modules|-modules-core|-modules-extra|-modules-internal)?$`)

// rpmTools come of the kernel's source and are no part of it.
var rpmTools = regexp.MustCompile(`^(?:kernel(?:-rt|-64k|-debug|-zfcpdump|-uek|-default)*-(?:headers|cross-headers|devel|devel-matched|doc|tools|tools-libs|tools-libs-devel|abi-stablelists|srpm-macros|selftests-internal)|perf|python3-perf|bpftool|rtla|rv|libperf|libperf-devel)$`)

// kernels counts those that could run, and looks for the one that does.
func (m *Matcher) kernels() {
	seen := map[string]bool{}
	for _, it := range m.host.Items {
		if release, ok := m.kernelOf(it); ok {
			seen[release] = true
			m.runs = m.runs || m.isRunning(release)
		}
	}
	m.images = len(seen)
}

// kernelOf gives the release of the kernel that an item is or belongs to, as uname -r does.
func (m *Matcher) kernelOf(it Item) (string, bool) {
	if found := image.FindStringSubmatch(it.Name); found != nil && !strings.HasSuffix(it.Name, "-dbg") && !strings.HasSuffix(it.Name, "-dbgsym") {
		return found[1], true
	}
	e, _ := advisory.EcosystemOf(m.host.Release)
	if e.Scheme != patch.SchemeRPM {
		return "", false
	}
	found := rpmKernels.FindStringSubmatch(it.Name)
	if found == nil {
		return "", false
	}
	_, release := epoch(it.Version)
	if isSUSE(e) { // kernel-default 5.14.21-150500.55.39.1 runs as 5.14.21-150500.55.39-default
		flavor := strings.TrimPrefix(found[1], "-")
		if i := strings.LastIndexByte(release, '.'); i > strings.IndexByte(release, '-') && flavor != "" {
			return release[:i] + "-" + flavor, true
		}
		return release, true
	}
	if it.Architecture != "" {
		release += "." + it.Architecture
	}
	// kernel-64k 5.14.0-1.el9 runs as 5.14.0-1.el9.aarch64+64k; older ones for real time have it in their version
	if variant := strings.TrimPrefix(found[1], "-"); variant != "" && !strings.Contains(release, ".rt") && variant != "uek" {
		release += "+" + variant
	}
	return release, true
}

func isSUSE(e advisory.Ecosystem) bool { return e.Name == "SUSE" || e.Name == "openSUSE" }

// isRunning reports whether a release of a kernel is the one that runs. A listing may leave
// architectures out.
func (m *Matcher) isRunning(release string) bool {
	running := m.host.Kernel
	if running == "" {
		return false
	}
	if release == running {
		return true
	}
	rest, ok := strings.CutPrefix(running, release+".")
	return ok && architecture.MatchString(rest)
}

// architecture is what stands last in a release of a kernel of rpm.
var architecture = regexp.MustCompile(`^(?:x86_64|aarch64|ppc64le|s390x|i686|riscv64)$`)

// isKernel reports whether an item comes of a kernel's source.
func isKernel(it Item) bool {
	s := it.Source
	return s == "linux" || strings.HasPrefix(s, "linux-signed") || strings.HasPrefix(s, "linux-") && kernelSource.MatchString(s) || rpmTools.MatchString(it.Name)
}

// kernelSource are the sources of Ubuntu's kernels.
var kernelSource = regexp.MustCompile(`^linux-(?:aws|azure|gcp|gke|oracle|ibm|kvm|raspi|nvidia|lowlatency|hwe|oem|intel|realtime|bluefield|riscv|starfive|xilinx|allwinner)(?:-.+)?$`)

// kernel is the status of what comes of a kernel's source and does not run.
func (m *Matcher) kernel(it Item) (Status, string) {
	release, is := m.kernelOf(it)
	switch {
	case is && m.runs && !m.isRunning(release):
		return NotRunning, "The machine runs the kernel " + m.host.Kernel + "."
	case !is && isKernel(it):
		return HeadersOnly, "It comes of the kernel's source and is no part of a kernel that could run."
	}
	return "", ""
}

// running is what is to be said of a kernel beside that it is affected.
func (m *Matcher) running(it Item) string {
	_, is := m.kernelOf(it)
	switch {
	case is && m.host.Kernel != "" && !m.runs:
		return "The machine runs the kernel " + m.host.Kernel + ", which is not among those that are installed."
	case is && m.host.Kernel == "" && m.images > 1:
		return "Several kernels are installed, and nothing says which one runs."
	}
	return ""
}
