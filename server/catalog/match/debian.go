package match

import (
	"regexp"
	"strings"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
)

var (
	rebuild = regexp.MustCompile(`~deb\d+u\d+(\+b\d+)?$`)
	binNMU  = regexp.MustCompile(`\+b\d+$`)
)

// unbuilt is a source version without the mark of a package that was only built again.
func unbuilt(e advisory.Ecosystem, version string) string {
	if e.Name == "Debian" {
		return binNMU.ReplaceAllString(version, "")
	}
	return version
}

// rebuilt reports whether a version that sorts below the fixed one has its fix: 1.2-3~deb12u1
// is 1.2-3 made again for an older release. Where the fixed version is such a one itself, the
// order alone counts.
func rebuilt(e advisory.Ecosystem, version, fixed string) bool {
	if e.Name != "Debian" || !rebuild.MatchString(version) || strings.Contains(fixed, "~deb") {
		return false
	}
	c, err := patch.CompareVersions(e.Scheme, rebuild.ReplaceAllString(version, ""), fixed)
	return err == nil && c >= 0
}

// image is a package with a kernel that could be started; the version follows its name.
var image = regexp.MustCompile(`^linux-(?:image|modules)(?:-unsigned|-extra)?-(\d.*)$`)

// rpmKernels are packages with a kernel, or parts of it that are loaded.
var rpmKernels = regexp.MustCompile(`^kernel(?:-rt|-64k|-debug|-zfcpdump|-uek|-default|-uki-virt)*(?:-core|-modules|-modules-core|-modules-extra|-modules-internal)?$`)

// rpmTools come of the kernel's source and are no part of it.
var rpmTools = regexp.MustCompile(`^(?:kernel(?:-rt|-64k|-debug|-zfcpdump|-uek|-default)*-(?:headers|cross-headers|devel|devel-matched|doc|tools|tools-libs|tools-libs-devel|abi-stablelists|srpm-macros|selftests-internal)|perf|python3-perf|bpftool|rtla|rv|libperf|libperf-devel)$`)

// kernels counts those that could run.
func (m *Matcher) kernels() {
	seen := map[string]bool{}
	for _, it := range m.host.Items {
		if release, ok := m.kernelOf(it); ok {
			seen[release] = true
		}
	}
	m.images = len(seen)
}

// kernelOf gives the release of the kernel that an item is or belongs to, as uname -r does.
func (m *Matcher) kernelOf(it Item) (string, bool) {
	if found := image.FindStringSubmatch(it.Name); found != nil {
		return found[1], true
	}
	if e, _ := advisory.EcosystemOf(m.host.Release); e.Scheme == patch.SchemeRPM && rpmKernels.MatchString(it.Name) {
		_, version := epoch(it.Version)
		return version + "." + it.Architecture, true
	}
	return "", false
}

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
	case is && m.host.Kernel != "" && release != m.host.Kernel:
		return NotRunning, "The machine runs the kernel " + m.host.Kernel + "."
	case !is && isKernel(it):
		return HeadersOnly, "It comes of the kernel's source and is no part of a kernel that could run."
	}
	return "", ""
}

// running is what is to be said of a kernel beside that it is affected.
func (m *Matcher) running(it Item) string {
	if _, is := m.kernelOf(it); is && m.host.Kernel == "" && m.images > 1 {
		return "Several kernels are installed, and nothing says which one runs."
	}
	return ""
}
