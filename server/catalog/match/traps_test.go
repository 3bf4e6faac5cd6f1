package match_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/osv"
)

// index makes one of records, a line each.
func index(t testing.TB, records ...string) *match.Index {
	t.Helper()
	b := match.NewBuilder(nil)
	report, err := osv.Read(strings.NewReader(strings.Join(records, "\n")), b.Add)
	if err != nil || report.Refused > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	return b.Index()
}

// record is one that says of a package that it is mended in a version; "" says that it never is.
func record(id, ecosystem, name, fixed string, more ...string) string {
	event := ""
	if fixed != "" {
		event = fmt.Sprintf(`,{"fixed":%q}`, fixed)
	}
	return fmt.Sprintf(`{"id":%q,"affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}%s]}]%s}]}`,
		id, ecosystem, name, event, strings.Join(append([]string{""}, more...), ","))
}

// told is what findings say: item, advisory, status, fixed in.
func told(list []match.Finding) []string {
	said := []string{}
	for _, f := range list {
		said = append(said, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", f.Item, f.Advisory, f.Status, f.Fixed)))
	}
	return said
}

func TestTraps(t *testing.T) {
	deb := func(items ...match.Item) match.Host { return match.Host{Release: "Debian:12", Items: items} }
	alma := func(items ...match.Item) match.Host { return match.Host{Release: "AlmaLinux:9", Items: items} }
	node := func(id, stream, fixed string) string {
		return strings.Replace(record(id, "AlmaLinux:9", "nodejs", fixed), `{"id"`, fmt.Sprintf(`{"summary":"Important: nodejs:%s security update","id"`, stream), 1)
	}
	image := func(version, abi string) match.Item {
		return match.Item{Name: "linux-image-" + abi, Version: version, Source: "linux-signed-amd64", SourceVersion: strings.Replace(version, "-", "+", 1)}
	}
	for name, c := range map[string]struct {
		host    match.Host
		records []string
		want    []string
	}{
		"the source's epoch is another than the package's": {
			deb(match.Item{Name: "bsdutils", Version: "1:2.38.1-5+deb12u3", Source: "util-linux", SourceVersion: "2.38.1-5+deb12u3"}),
			[]string{record("CVE-2024-28085", "Debian:12", "util-linux", "2.38.1-5+deb12u1"), record("CVE-2026-0001", "Debian:12", "util-linux", "2.38.1-5+deb12u4")},
			[]string{"bsdutils CVE-2026-0001 affected 2.38.1-5+deb12u4"},
		},
		"the source's version is another than the package's": {
			deb(match.Item{Name: "dmsetup", Version: "2:1.02.185-2", Source: "lvm2", SourceVersion: "2.03.16-2"}),
			[]string{record("CVE-2020-0001", "Debian:12", "lvm2", "2.02.176-4"), record("CVE-2026-0002", "Debian:12", "lvm2", "2.03.16-2+deb12u1")},
			[]string{"dmsetup CVE-2026-0002 affected 2.03.16-2+deb12u1"},
		},
		"a package that was only built again": {
			deb(match.Item{Name: "tool", Version: "1.2-3+b8"}),
			[]string{record("CVE-2026-0003", "Debian:12", "tool", "1.2-3"), record("CVE-2026-0004", "Debian:12", "tool", "1.2-3+deb12u1")},
			[]string{"tool CVE-2026-0004 affected 1.2-3+deb12u1"},
		},
		"a version made again for an older release has what it was made of": {
			deb(match.Item{Name: "flatpak", Version: "1.14.10-1~deb12u2"}),
			[]string{record("CVE-2024-42472", "Debian:12", "flatpak", "1.14.10-1"), record("CVE-2026-0005", "Debian:12", "flatpak", "1.14.10-1~deb12u3"), record("CVE-2026-0006", "Debian:12", "flatpak", "1.14.10-2")},
			[]string{"flatpak CVE-2026-0005 affected 1.14.10-1~deb12u3", "flatpak CVE-2026-0006 affected 1.14.10-2"},
		},
		"versions whose text lies are ordered as dpkg orders them": {
			deb(match.Item{Name: "xz-utils", Version: "5.6.1+really5.4.5-1"}, match.Item{Name: "7zip", Version: "16.02+really26.01+dfsg-0+deb12u1"}, match.Item{Name: "p7zip", Version: "16.02+transitional.1"}),
			[]string{record("CVE-2024-3094", "Debian:12", "xz-utils", "5.6.1+really5.4.5-1"), record("CVE-2026-0007", "Debian:12", "7zip", "16.02+really26.02+dfsg-0+deb12u1"), record("CVE-2026-0008", "Debian:12", "p7zip", "16.02+dfsg-8")},
			[]string{"7zip CVE-2026-0007 affected 16.02+really26.02+dfsg-0+deb12u1"},
		},
		"what nothing mends is a finding": {
			deb(match.Item{Name: "tool", Version: "1.0-1"}),
			[]string{record("CVE-2026-0009", "Debian:12", "tool", "")},
			[]string{"tool CVE-2026-0009 no-fix"},
		},
		"what does no harm here raises no alarm": {
			deb(match.Item{Name: "tar", Version: "1.34+dfsg-1.2"}),
			[]string{record("DEBIAN-CVE-2005-2541", "Debian:12", "tar", "", `"ecosystem_specific":{"urgency":"unimportant"}`)},
			[]string{"tar DEBIAN-CVE-2005-2541 unimportant"},
		},
		"old records have a state in the place of a version": {
			deb(match.Item{Name: "tool", Version: "1.0-1"}),
			[]string{record("CVE-2019-0001", "Debian:12", "tool", "<not-affected>"), record("CVE-2019-0002", "Debian:12", "tool", "<unfixed>")},
			[]string{"tool CVE-2019-0002 no-fix"},
		},
		"a list of versions with those of the next release says less than the range": {
			deb(match.Item{Name: "tool", Version: "2.0-1"}),
			[]string{record("CVE-2026-0010", "Debian:12", "tool", "1.5-1", `"versions":["1.0-1","2.0-1"]`)},
			[]string{},
		},
		"an advisory of long-term support is one too": {
			deb(match.Item{Name: "expat", Version: "2.5.0-1+deb12u1"}),
			[]string{strings.Replace(record("DLA-4000-1", "Debian:12", "expat", "2.5.0-1+deb12u2"), `{"id"`, `{"related":["CVE-2023-52425"],"id"`, 1)},
			[]string{"expat DLA-4000-1 affected 2.5.0-1+deb12u2"},
		},
		"one CVE in two sources, one of which carries a copy": {
			deb(match.Item{Name: "libexpat1", Version: "2.5.0-1", Source: "expat"}, match.Item{Name: "python3.11", Version: "3.11.2-6"}),
			[]string{record("DSA-1-1", "Debian:12", "expat", "2.5.0-1+deb12u1"), record("DEBIAN-CVE-2023-52425", "Debian:12", "python3.11", "")},
			[]string{"libexpat1 DSA-1-1 affected 2.5.0-1+deb12u1", "python3.11 DEBIAN-CVE-2023-52425 no-fix"},
		},
		"only the kernel's headers and tools": {
			deb(match.Item{Name: "linux-libc-dev", Version: "6.1.187-1", Source: "linux"}, match.Item{Name: "linux-perf", Version: "6.1.187-1", Source: "linux"}),
			[]string{record("CVE-2026-0011", "Debian:12", "linux", "6.1.190-1")},
			[]string{"linux-libc-dev CVE-2026-0011 headers-only 6.1.190-1", "linux-perf CVE-2026-0011 headers-only 6.1.190-1"},
		},
		"a signed kernel is of the kernel's source, under the package's version": {
			deb(image("6.1.187-1", "6.1.0-45-amd64")),
			[]string{record("CVE-2026-0012", "Debian:12", "linux", "6.1.187-1"), record("CVE-2026-0013", "Debian:12", "linux", "6.1.190-1")},
			[]string{"linux-image-6.1.0-45-amd64 CVE-2026-0013 affected 6.1.190-1"},
		},
		"of several kernels the running one counts": {
			match.Host{Release: "Debian:12", Kernel: "6.1.0-44-amd64", Items: []match.Item{image("6.1.180-1", "6.1.0-44-amd64"), image("6.1.187-1", "6.1.0-45-amd64")}},
			[]string{record("CVE-2026-0014", "Debian:12", "linux", "6.1.185-1"), record("CVE-2026-0015", "Debian:12", "linux", "")},
			[]string{"linux-image-6.1.0-44-amd64 CVE-2026-0014 affected 6.1.185-1", "linux-image-6.1.0-44-amd64 CVE-2026-0015 no-fix", "linux-image-6.1.0-45-amd64 CVE-2026-0015 not-running"},
		},
		"another publisher's package is not compared": {
			deb(match.Item{Name: "nodejs", Version: "20.20.2-1nodesource1", Foreign: "NodeSource"}, match.Item{Name: "kubectl", Version: "1:528.0.0-0", Foreign: "Google"}),
			[]string{record("CVE-2024-27980", "Debian:12", "nodejs", "18.20.4+dfsg-1~deb12u1"), record("CVE-2026-0016", "Debian:12", "nodejs", "")},
			[]string{"nodejs  not-compared"},
		},
		"withdrawn, and the year 1 that means not": {
			deb(match.Item{Name: "tool", Version: "1.0-1"}),
			[]string{
				strings.Replace(record("CVE-2026-0017", "Debian:12", "tool", ""), `{"id"`, `{"withdrawn":"2026-01-02T03:04:05Z","id"`, 1),
				strings.Replace(record("CVE-2026-0018", "Debian:12", "tool", ""), `{"id"`, `{"withdrawn":"0001-01-01T00:00:00Z","published":"0001-01-01T00:00:00Z","id"`, 1),
			},
			[]string{"tool CVE-2026-0018 no-fix"},
		},
		"withdrawn later, under the same id": {
			deb(match.Item{Name: "tool", Version: "1.0-1"}),
			[]string{
				strings.Replace(record("CVE-2026-0019", "Debian:12", "tool", ""), `{"id"`, `{"modified":"2026-01-02T00:00:00Z","withdrawn":"2026-01-02T00:00:00Z","id"`, 1),
				strings.Replace(record("CVE-2026-0019", "Debian:12", "tool", ""), `{"id"`, `{"modified":"2026-01-01T00:00:00Z","id"`, 1),
			},
			[]string{},
		},
		"a version that is none is not known, and never harmless": {
			deb(match.Item{Name: "tool", Version: "not a version"}),
			[]string{record("CVE-2026-0020", "Debian:12", "tool", "1.0-1")},
			[]string{"tool CVE-2026-0020 undetermined"},
		},
		"an advisory for another release says nothing": {
			alma(match.Item{Name: "dhcp-client", Version: "4.3-1.el9"}),
			[]string{record("ALSA-2026:A009", "AlmaLinux:8", "dhcp-client", "12:4.3.6-47.el8")},
			[]string{},
		},
		"an advisory for no release is about all, where the release's own says nothing": {
			deb(match.Item{Name: "a", Version: "1.0-1"}, match.Item{Name: "b", Version: "1.0-1"}),
			[]string{record("CVE-2026-0110", "Debian", "a", "2.0-1"), record("CVE-2026-0111", "Debian:12", "b", "1.0-1"), `{"id":"X-1","aliases":["CVE-2026-0111"],"affected":[{"package":{"ecosystem":"Debian","name":"b"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0-1"}]}]}]}`},
			[]string{"a CVE-2026-0110 affected 2.0-1"},
		},
		"no epoch is epoch 0": {
			alma(match.Item{Name: "bash", Version: "5.1.8-6.el9"}, match.Item{Name: "openssl", Version: "1:3.0.7-28.el9_4"}, match.Item{Name: "bind", Version: "32:9.16.23-1.el9"}),
			[]string{record("A-1", "AlmaLinux:9", "bash", "0:5.1.8-6.el9_1"), record("A-2", "AlmaLinux:9", "openssl", "3.5.0-1.el9"), record("A-3", "AlmaLinux:9", "bind", "32:9.16.23-2.el9")},
			[]string{"bash A-1 affected 0:5.1.8-6.el9_1", "bind A-3 affected 32:9.16.23-2.el9"},
		},
		"a listing that leaves epochs out": {
			match.Host{Release: "AlmaLinux:9", NoEpoch: true, Items: []match.Item{{Name: "openssl", Version: "3.0.7-28.el9_4"}}},
			[]string{record("A-1", "AlmaLinux:9", "openssl", "1:3.0.7-28.el9_4"), record("A-2", "AlmaLinux:9", "openssl", "1:3.2.2-6.el9_5")},
			[]string{"openssl A-2 affected 1:3.2.2-6.el9_5"},
		},
		"~ is before and ^ after": {
			alma(match.Item{Name: "tool", Version: "1.0~rc1-1.el9"}, match.Item{Name: "git", Version: "1.0^20260101-1.el9"}),
			[]string{record("A-1", "AlmaLinux:9", "tool", "1.0-1.el9"), record("A-2", "AlmaLinux:9", "git", "1.0-1.el9")},
			[]string{"tool A-1 affected 1.0-1.el9"},
		},
		"modules are compared within one stream": {
			alma(match.Item{Name: "nodejs", Version: "1:18.19.1-1.module_el9.3.0+59+28b95644"}),
			[]string{node("A-1", "18", "1:18.19.1-1.module_el9.3.0+59+28b95644"), node("A-2", "18", "1:18.20.2-2.module_el9.4.0+99+a01f7676"), node("A-3", "20", "1:20.12.2-2.module_el9.4.0+100+71fc9528")},
			[]string{"nodejs A-2 affected 1:18.20.2-2.module_el9.4.0+99+a01f7676"},
		},
		"a build that no advisory names is known by its version": {
			alma(match.Item{Name: "nodejs", Version: "1:20.1.0-1.module_el9.3.0+50+11111111"}),
			[]string{node("A-1", "18", "1:18.20.2-2.module_el9.4.0+99+a01f7676"), node("A-2", "20", "1:20.12.2-2.module_el9.4.0+100+71fc9528")},
			[]string{"nodejs A-2 affected 1:20.12.2-2.module_el9.4.0+100+71fc9528"},
		},
		"a part of a package is of the stream that its version says": {
			alma(match.Item{Name: "nodejs-libs", Version: "1:20.1.0-1.module_el9.3.0+50+11111111"}, match.Item{Name: "nodejs-nodemon", Version: "2.0.1-1.module_el9.3.0+50+11111111"}),
			[]string{strings.Replace(node("A-1", "18", "1:18.20.2-2.module_el9.4.0+99+a01f7676"), `"name":"nodejs"`, `"name":"nodejs-libs"`, 1), strings.Replace(node("A-2", "20", "1:20.12.2-2.module_el9.4.0+100+71fc9528"), `"name":"nodejs"`, `"name":"nodejs-libs"`, 1),
				strings.Replace(node("A-3", "20", "3.0.1-1.module_el9.4.0+100+71fc9528"), `"name":"nodejs"`, `"name":"nodejs-nodemon"`, 1)},
			[]string{"nodejs-libs A-2 affected 1:20.12.2-2.module_el9.4.0+100+71fc9528", "nodejs-nodemon A-3 affected 3.0.1-1.module_el9.4.0+100+71fc9528"},
		},
		"a stream that nobody knows": {
			alma(match.Item{Name: "nodejs-nodemon", Version: "2.0.1-1.module_el9.3.0+50+11111111"}),
			[]string{strings.Replace(node("A-1", "18", "3.0.1-1.module_el9.4.0+99+a01f7676"), `"name":"nodejs"`, `"name":"nodejs-nodemon"`, 1)},
			[]string{"nodejs-nodemon A-1 undetermined"},
		},
		"a package of no module and an advisory of one": {
			alma(match.Item{Name: "nodejs", Version: "1:16.20.2-8.el9_4"}),
			[]string{node("A-1", "18", "1:18.20.2-2.module_el9.4.0+99+a01f7676"), record("A-2", "AlmaLinux:9", "nodejs", "1:16.20.2-9.el9_4")},
			[]string{"nodejs A-2 affected 1:16.20.2-9.el9_4"},
		},
		"kernels of rpm": {
			match.Host{Release: "AlmaLinux:9", Kernel: "5.14.0-362.8.1.el9_3.x86_64", Items: []match.Item{
				{Name: "kernel-core", Version: "5.14.0-362.8.1.el9_3", Architecture: "x86_64"}, {Name: "kernel-core", Version: "5.14.0-427.1.1.el9_4", Architecture: "x86_64"}, {Name: "kernel-headers", Version: "5.14.0-362.8.1.el9_3", Architecture: "x86_64"}}},
			[]string{record("A-1", "AlmaLinux:9", "kernel-core", "5.14.0-500.el9"), record("A-1", "AlmaLinux:9", "kernel-core", "5.14.0-500.el9"), record("A-2", "AlmaLinux:9", "kernel-headers", "5.14.0-500.el9")},
			[]string{"kernel-core A-1 affected 5.14.0-500.el9", "kernel-core A-1 not-running 5.14.0-500.el9", "kernel-headers A-2 headers-only 5.14.0-500.el9"},
		},
		"fixed versions of a minor release are others": {
			match.Host{Release: "Red Hat:enterprise_linux:9.2", Items: []match.Item{{Name: "podman", Version: "2:4.4.1-20.el9_2"}}},
			[]string{
				strings.Replace(record("RHSA-2024:8709", "Red Hat:rhel_eus:9.2::appstream", "podman", "2:4.4.1-20.el9_2"), `{"id"`, `{"related":["CVE-2024-9675"],"id"`, 1),
				strings.Replace(record("RHSA-2024:9000", "Red Hat:enterprise_linux:9::appstream", "podman", "4:5.2.2-1.el9"), `{"id"`, `{"related":["CVE-2024-9675"],"id"`, 1),
				strings.Replace(record("RHSA-2024:9001", "Red Hat:enterprise_linux:9::appstream", "podman", "4:5.2.2-9.el9"), `{"id"`, `{"related":["CVE-2024-9999"],"id"`, 1)},
			[]string{"podman RHSA-2024:9001 affected 4:5.2.2-9.el9"},
		},
		"a fix for those who pay": {
			match.Host{Release: "Ubuntu:22.04", Items: []match.Item{{Name: "libvips42", Version: "8.12.1-1", Source: "vips"}}},
			[]string{`{"id":"UBUNTU-CVE-2025-29769","upstream":["CVE-2025-29769"],"affected":[
				{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"vips","purl":"pkg:deb/ubuntu/vips?arch=src?distro=jammy"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"versions":["8.12.1-1"]},
				{"package":{"ecosystem":"Ubuntu:Pro:22.04:LTS","name":"vips"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"8.12.1-1ubuntu0.1~esm1"}]}]}]}`},
			[]string{"libvips42 UBUNTU-CVE-2025-29769 no-fix"},
		},
		"and what those have who paid": {
			match.Host{Release: "Ubuntu:22.04", Items: []match.Item{{Name: "libvips42", Version: "8.12.1-1ubuntu0.1~esm1", Source: "vips"}}},
			[]string{`{"id":"UBUNTU-CVE-2025-29769","affected":[
				{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"vips"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},
				{"package":{"ecosystem":"Ubuntu:Pro:22.04:LTS","name":"vips"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"8.12.1-1ubuntu0.1~esm1"}]}]}]}`},
			[]string{},
		},
		"the fixed version of the package that is there, not of another": {
			match.Host{Items: []match.Item{{Name: "B", Version: "1.0.0", Ecosystem: "npm"}}},
			[]string{`{"id":"GHSA-x","affected":[{"package":{"ecosystem":"npm","name":"A"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"9.0.0"}]}]},{"package":{"ecosystem":"npm","name":"B"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.1"}]}]}]}`},
			[]string{"B GHSA-x affected 1.0.1"},
		},
		"several ranges, each with its own end": {
			match.Host{Items: []match.Item{{Name: "p", Version: "2.1.0", Ecosystem: "PyPI"}, {Name: "p", Version: "1.5", Ecosystem: "PyPI"}, {Name: "P_.-p", Version: "3.0rc1", Ecosystem: "PyPI"}}},
			[]string{`{"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.4"}]},{"type":"ECOSYSTEM","events":[{"introduced":"2.0"},{"fixed":"2.2"}]},{"type":"GIT","events":[{"introduced":"0"}]}]}]}`,
				`{"id":"PYSEC-2","affected":[{"package":{"ecosystem":"PyPI","name":"p-P"},"ranges":[{"type":"ECOSYSTEM","events":[{"fixed":"3.0"},{"introduced":"0"}]}]}]}`},
			[]string{"P_.-p PYSEC-2 affected 3.0", "p PYSEC-1 affected 2.2"},
		},
		"the last that is affected": {
			match.Host{Items: []match.Item{{Name: "p", Version: "1.0.0", Ecosystem: "npm"}, {Name: "p", Version: "1.0.1", Ecosystem: "npm"}}},
			[]string{`{"id":"GHSA-y","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.9.0"},{"last_affected":"1.0.0"}]}]}]}`},
			[]string{"p GHSA-y no-fix"},
		},
		"among the versions, outside of the range": {
			match.Host{Items: []match.Item{{Name: "p", Version: "1.9.9", Ecosystem: "PyPI"}}},
			[]string{`{"id":"PYSEC-3","affected":[{"package":{"ecosystem":"PyPI","name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"2.0"},{"fixed":"2.1"}]}],"versions":["1.9.9","2.0"]}]}`},
			[]string{"p PYSEC-3 affected 2.1"},
		},
		"a list of versions, written otherwise": {
			match.Host{Items: []match.Item{{Name: "p", Version: "1.5", Ecosystem: "PyPI"}}},
			[]string{`{"id":"PYSEC-4","affected":[{"package":{"ecosystem":"PyPI","name":"p"},"versions":["1.4","1.5.0"]}]}`, `{"id":"PYSEC-5","affected":[{"package":{"ecosystem":"PyPI","name":"p"},"versions":["1.5.1"]}]}`},
			[]string{"p PYSEC-4 no-fix"},
		},
		"nothing is said beyond a limit": {
			match.Host{Items: []match.Item{{Name: "p", Version: "1.1.0", Ecosystem: "npm"}, {Name: "p", Version: "1.2.0", Ecosystem: "npm"}}},
			[]string{`{"id":"GHSA-z","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"limit":"1.2.0"}]}]}]}`},
			[]string{"p GHSA-z no-fix"},
		},
		"only commits, and no versions": {
			match.Host{Items: []match.Item{{Name: "p", Version: "1.1.0", Ecosystem: "npm"}}},
			[]string{`{"id":"GHSA-z","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}`},
			[]string{"p GHSA-z undetermined"},
		},
		"one advisory that speaks of a package several times is one finding": {
			match.Host{Items: []match.Item{{Name: "a", Version: "0.38.1", Ecosystem: "Go"}, {Name: "b", Version: "1.0.0", Ecosystem: "Go"}, {Name: "b", Version: "1.0.0", Ecosystem: "Go"}}},
			[]string{`{"id":"GO-1","affected":[{"package":{"ecosystem":"Go","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.1"}]}]},{"package":{"ecosystem":"Go","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.38.17"}]}]}]}`,
				`{"id":"GO-2","affected":[{"package":{"ecosystem":"Go","name":"b"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.41.0"}]}]},{"package":{"ecosystem":"Go","name":"b"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`},
			[]string{"a GO-1 affected 1.0.1", "b GO-2 no-fix"},
		},
		"ends where it begins again": {
			match.Host{Items: []match.Item{{Name: "stdlib", Version: "1.20.11", Ecosystem: "Go"}}},
			[]string{`{"id":"GO-3","affected":[{"package":{"ecosystem":"Go","name":"stdlib"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.20.11"}]}]},{"package":{"ecosystem":"Go","name":"stdlib"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.20.11"},{"fixed":"1.20.12"}]}]}]}`},
			[]string{"stdlib GO-3 affected 1.20.12"},
		},
		"several builds side by side, each of which mends": {
			alma(match.Item{Name: "php-pecl-rrd", Version: "2.0.3-4.module_el9.1.0+15+94ba28e4", Module: "php:8.2"}, match.Item{Name: "php-pecl-zip", Version: "1.0-1.module_el9.1.0+10+11111111", Module: "php:8.2"}),
			[]string{`{"id":"A-1","summary":"Moderate: php:8.2 security update","affected":[` +
				`{"package":{"ecosystem":"AlmaLinux:9","name":"php-pecl-rrd"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0.3-4.module_el9.4.0+65+49ff6472"}]}]},{"package":{"ecosystem":"AlmaLinux:9","name":"php-pecl-rrd"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0.3-4.module_el9.1.0+15+94ba28e4"}]}]},` +
				`{"package":{"ecosystem":"AlmaLinux:9","name":"php-pecl-zip"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1-1.module_el9.4.0+65+49ff6472"}]}]},{"package":{"ecosystem":"AlmaLinux:9","name":"php-pecl-zip"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1-1.module_el9.1.0+15+94ba28e4"}]}]}]}`},
			[]string{"php-pecl-zip A-1 affected 1.1-1.module_el9.4.0+65+49ff6472"},
		},
		"a backport is made again too": {
			deb(match.Item{Name: "tool", Version: "1.2-3~bpo12+1"}),
			[]string{record("CVE-2026-0101", "Debian:12", "tool", "1.2-3"), record("CVE-2026-0102", "Debian:12", "tool", "1.2-4")},
			[]string{"tool CVE-2026-0102 affected 1.2-4"},
		},
		"an unsigned kernel runs, and what is for debugging does not": {
			match.Host{Release: "Debian:12", Kernel: "6.1.0-44-amd64", Items: []match.Item{{Name: "linux-image-6.1.0-44-amd64-unsigned", Version: "6.1.180-1", Source: "linux"}, {Name: "linux-image-6.1.0-44-amd64-dbg", Version: "6.1.180-1", Source: "linux"}}},
			[]string{record("CVE-2026-0103", "Debian:12", "linux", "6.1.185-1")},
			[]string{"linux-image-6.1.0-44-amd64-dbg CVE-2026-0103 headers-only 6.1.185-1", "linux-image-6.1.0-44-amd64-unsigned CVE-2026-0103 affected 6.1.185-1"},
		},
		"a running kernel that is none of the installed ones makes none of them harmless": {
			match.Host{Release: "Debian:12", Kernel: "6.1.0-custom", Items: []match.Item{image("6.1.180-1", "6.1.0-44-amd64")}},
			[]string{record("CVE-2026-0104", "Debian:12", "linux", "6.1.185-1")},
			[]string{"linux-image-6.1.0-44-amd64 CVE-2026-0104 affected 6.1.185-1"},
		},
		"kernels of rpm with a flavor, and without architectures": {
			match.Host{Release: "AlmaLinux:9", Kernel: "5.14.0-1.el9.aarch64+64k", Items: []match.Item{
				{Name: "kernel-64k-core", Version: "5.14.0-1.el9", Architecture: "aarch64"}, {Name: "kernel-core", Version: "5.14.0-1.el9", Architecture: "aarch64"}, {Name: "kernel-rt-core", Version: "5.14.0-1.rt14.el9", Architecture: "aarch64"}}},
			[]string{record("A-1", "AlmaLinux:9", "kernel-64k-core", "5.14.0-2.el9"), record("A-2", "AlmaLinux:9", "kernel-core", "5.14.0-2.el9"), record("A-3", "AlmaLinux:9", "kernel-rt-core", "5.14.0-2.rt14.el9")},
			[]string{"kernel-64k-core A-1 affected 5.14.0-2.el9", "kernel-core A-2 not-running 5.14.0-2.el9", "kernel-rt-core A-3 not-running 5.14.0-2.rt14.el9"},
		},
		"a kernel of a listing without architectures": {
			match.Host{Release: "AlmaLinux:9", Kernel: "5.14.0-2.el9.x86_64", Items: []match.Item{{Name: "kernel-core", Version: "5.14.0-2.el9"}, {Name: "kernel-core", Version: "5.14.0-1.el9"}}},
			[]string{record("A-1", "AlmaLinux:9", "kernel-core", "5.14.0-3.el9")},
			[]string{"kernel-core A-1 not-running 5.14.0-3.el9", "kernel-core A-1 affected 5.14.0-3.el9"},
		},
		"SUSE's kernels run under another name, and its packages stand in modules": {
			match.Host{Release: "SUSE:Linux Enterprise Server 15 SP5", Kernel: "5.14.21-150500.55.39-default", Items: []match.Item{
				{Name: "kernel-default", Version: "5.14.21-150500.55.39.1", Architecture: "x86_64"}, {Name: "kernel-default", Version: "5.14.21-150500.55.7.1", Architecture: "x86_64"}, {Name: "curl", Version: "8.0.1-150400.5.1", Architecture: "x86_64"}}},
			[]string{record("SUSE-SU-1", "SUSE:Linux Enterprise Module for Basesystem 15 SP5", "kernel-default", "5.14.21-150500.55.44.1"), record("SUSE-SU-2", "SUSE:Linux Enterprise Module for Basesystem 15 SP5", "curl", "8.0.1-150400.5.9"),
				record("SUSE-SU-3", "SUSE:Linux Enterprise Module for Basesystem 15 SP4", "curl", "8.0.1-150400.5.9"), record("SUSE-SU-4", "SUSE:Linux Enterprise Server 15 SP5", "curl", "8.0.1-150400.5.3")},
			[]string{"curl SUSE-SU-2 affected 8.0.1-150400.5.9", "curl SUSE-SU-4 affected 8.0.1-150400.5.3", "kernel-default SUSE-SU-1 affected 5.14.21-150500.55.44.1", "kernel-default SUSE-SU-1 not-running 5.14.21-150500.55.44.1"},
		},
		"what is only said to those who pay": {
			match.Host{Release: "Ubuntu:16.04", Items: []match.Item{{Name: "a", Version: "1.0-1"}, {Name: "b", Version: "1.0-1ubuntu0.1~esm1"}, {Name: "c", Version: "1.0-1ubuntu0.1~esm2"}}},
			[]string{record("USN-1", "Ubuntu:Pro:16.04:LTS", "a", "1.0-1ubuntu0.1~esm2"), record("USN-2", "Ubuntu:Pro:16.04:LTS", "b", "1.0-1ubuntu0.1~esm2"), record("USN-3", "Ubuntu:Pro:16.04:LTS", "c", "1.0-1ubuntu0.1~esm2")},
			[]string{"a USN-1 no-fix", "b USN-2 affected 1.0-1ubuntu0.1~esm2"},
		},
		"Go's modules have capitals in advisories and none in package URLs": {
			match.Host{Items: []match.Item{{Name: "github.com/masterminds/goutils", Version: "1.1.0", Ecosystem: "Go"}}},
			[]string{record("GO-4", "Go", "github.com/Masterminds/goutils", "1.1.1")},
			[]string{"github.com/masterminds/goutils GO-4 affected 1.1.1"},
		},
		"two records of one id, neither of which is newer": {
			match.Host{Release: "Alpine:v3.23", Items: []match.Item{{Name: "curl", Version: "1.0-r0"}, {Name: "wget", Version: "1.0-r0"}}},
			[]string{record("CVE-2026-0120", "Alpine:v3.23", "curl", "2.0-r0"), record("CVE-2026-0120", "Debian:12", "curl", "2.0-1"), record("CVE-2026-0120", "Alpine:v3.23", "wget", "2.0-r0"), record("CVE-2026-0120", "Alpine:v3.23", "curl", "2.0-r0")},
			[]string{"curl CVE-2026-0120 affected 2.0-r0", "wget CVE-2026-0120 affected 2.0-r0"},
		},
		"withdrawn, without a word on when it was modified": {
			match.Host{Items: []match.Item{{Name: "p", Version: "1.0.0", Ecosystem: "npm"}}},
			[]string{`{"id":"GHSA-w","withdrawn":"2026-01-01T00:00:00Z"}`, `{"id":"GHSA-w","modified":"2025-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`},
			[]string{},
		},
		"names with spaces in an id, six digits, and Alpine": {
			match.Host{Release: "Alpine:v3.23", Items: []match.Item{{Name: "libcurl", Version: "8.21.0-r1", Source: "curl"}}},
			[]string{record("SUSE-SU-403 Forbidden-1", "Alpine:v3.23", "curl", "8.22.0-r0"), record("CVE-2026-129538", "Alpine:v3.23", "curl", "8.22.0-r0"), record("CVE-2026-99999", "Alpine:v3.23", "curl", "8.22.0-r0")},
			[]string{"libcurl CVE-2026-99999 affected 8.22.0-r0", "libcurl CVE-2026-129538 affected 8.22.0-r0", "libcurl SUSE-SU-403 Forbidden-1 affected 8.22.0-r0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(index(t, c.records...).Match(c.host)); !slices.Equal(got, c.want) {
				t.Errorf("\ngot  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestReleases are the names that people write.
func TestReleases(t *testing.T) {
	for said, want := range map[string]string{
		"debian:12": "Debian:12", "Debian:bookworm": "Debian:12", "debian:12.11": "Debian:12", "debian:squeeze": "Debian:6.0", "debian:3.0": "Debian:3.0", "debian:6": "Debian:6.0",
		"ubuntu:22.04": "Ubuntu:22.04", "ubuntu:jammy": "Ubuntu:22.04", "alma:9.4": "AlmaLinux:9", "rocky:9": "Rocky Linux:9", "rhel:9.2": "Red Hat:enterprise_linux:9.2",
		"rhel_eus:9.2": "Red Hat:rhel_eus:9.2", "sles:12.1": "SUSE:Linux Enterprise Server 12 SP1", "sles:15": "SUSE:Linux Enterprise Server 15", "sled:15.5": "SUSE:Linux Enterprise Desktop 15 SP5", "opensuse:15.6": "openSUSE:Leap 15.6",
		"alpine:v3.20.3": "Alpine:v3.20", "wolfi": "Wolfi", "opensuse:tumbleweed": "openSUSE:Tumbleweed", "opensuse-tumbleweed:20261101": "openSUSE:Tumbleweed",
	} {
		if got, err := match.Release(said); got != want || err != nil {
			t.Errorf("%s is %q, %v", said, got, err)
		}
	}
	for _, said := range []string{"", "debian", "debian:", "debian:x", "windows:11", "debian:12;x", "ubuntu:../x"} {
		if got, err := match.Release(said); err == nil {
			t.Errorf("%q is %q", said, got)
		}
	}
}

// TestOrderOfRecordsSaysNothing is a law: whatever order records come in, the findings are the same.
func TestOrderOfRecordsSaysNothing(t *testing.T) {
	records := []string{record("CVE-2026-1", "Debian:12", "a", "2-1"), record("CVE-2026-0001", "Debian:12", "a", "2-1"), record("DSA-1", "Debian:12", "a", ""), record("CVE-2026-0002", "Debian:12", "b", "3-1")}
	h := match.Host{Release: "Debian:12", Items: []match.Item{{Name: "b", Version: "1-1"}, {Name: "a", Version: "1-1"}, {Name: "a", Version: "0-1"}}}
	want := told(index(t, records...).Match(h))
	if len(want) != 7 {
		t.Fatalf("%q", want)
	}
	rapid.Check(t, func(r *rapid.T) {
		h := h
		h.Items = rapid.Permutation(h.Items).Draw(r, "items")
		if got := told(index(t, rapid.Permutation(records).Draw(r, "records")...).Match(h)); !slices.Equal(got, want) {
			r.Fatalf("\ngot  %q\nwant %q", got, want)
		}
	})
}

// TestSeverityIsTheGravest of all that is said; a word that says nothing is not low.
func TestSeverityIsTheGravest(t *testing.T) {
	for _, c := range []struct {
		scores []advisory.Score
		want   string
	}{
		{nil, "unknown"}, {[]advisory.Score{{Word: "untriaged"}}, "unknown"}, {[]advisory.Score{{Word: "not yet assigned"}}, "unknown"}, {[]advisory.Score{{Word: "Important"}}, "high"},
		{[]advisory.Score{{Word: "negligible"}}, "low"}, {[]advisory.Score{{Word: "low"}, {Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}, "critical"},
		{[]advisory.Score{{Word: "critical"}, {Vector: "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}}, "critical"}, {[]advisory.Score{{Vector: "CVSS:9.9/x"}, {Word: "medium**"}}, "medium"},
	} {
		if got := string(advisory.Severity(c.scores)); got != c.want {
			t.Errorf("%+v is %s, not %s", c.scores, got, c.want)
		}
	}
}
