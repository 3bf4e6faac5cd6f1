package debian_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/debian"
	"patchbay/server/catalog/match"
)

// list is the tracker's own form, with a line of every state. Entries as the tracker has them.
const list = `CVE-2026-0861 (Passing too large an alignment to the memalign suite of functions (mem ...)
	- glibc <unfixed>
	[trixie] - glibc <no-dsa> (Minor issue)
	[bookworm] - glibc <no-dsa> (Minor issue)
	NOTE: https://sourceware.org/bugzilla/show_bug.cgi?id=33796
CVE-2025-32463 (Sudo before 1.9.17p1 allows local users to obtain root access because  ...)
	- sudo 1.9.16p2-3
	[bookworm] - sudo <not-affected> (Vulnerable code introduced later)
CVE-2024-6387
	{DSA-5724-1}
	- openssh 1:9.7p1-7
	[bullseye] - openssh <not-affected> (Vulnerable code introduced later)
CVE-2023-52425 (libexpat through 2.5.0 allows a denial of service (resource consumptio ...)
	{DLA-3893-1 DLA-3783-1}
	- expat 2.6.0-1 (bug #1063238)
	[bookworm] - expat 2.5.0-1+deb12u2
	- libxmltok <removed>
	[bookworm] - libxmltok <ignored> (Minor issue, no runtime dependencies left)
CVE-2023-45853 (MiniZip in zlib through 1.3 has an integer overflow and resultant heap ...)
	- zlib 1:1.3.dfsg-2 (bug #1054290)
	- minizip <removed>
CVE-2023-31484 (CPAN.pm before 2.35 does not verify TLS certificates when downloading  ...)
	[experimental] - perl 5.38.0~rc2-1
	- perl 5.38.2-2 (bug #1035109)
	[bookworm] - perl 5.36.0-7+deb12u3
	[buster] - perl <postponed> (Minor issue)
CVE-2011-3374 (It was found that apt-key in apt, all versions, do not correctly valid ...)
	- apt <unfixed> (unimportant; bug #642480)
CVE-2005-2541 (Tar 1.15.1 does not properly warn the user when extracting setuid or s ...)
	NOTE: This is intended behaviour
	- tar <unfixed> (bug #328228; unimportant)
CVE-2026-1111 [not known]
	- tool <undetermined>
CVE-2026-2222
	[bookworm] - tool <end-of-life> (not supported)
	- tool 2.0-1
TEMP-0290435-0B57B5 (tar's rmt command may have undesired side effects)
	- tar <unfixed> (low)
CVE-2024-/../../x (no id)
	- tool 1.0-1
`

const dsa = `[01 Jul 2024] DSA-5724-1 openssh - security update
	{CVE-2024-6387}
	[bookworm] - openssh 1:9.2p1-2+deb12u3
`

func index(t *testing.T) (*match.Index, debian.Report) {
	t.Helper()
	b := match.NewBuilder(nil)
	report, err := debian.ReadLists(debian.Lists{CVE: strings.NewReader(list)}, func(advisory.Advisory) error { return nil })
	if err != nil || report.Refused != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if report, err = debian.ReadLists(listsOf(list, dsa), b.Add); err != nil {
		t.Fatal(err)
	}
	return b.Index(), report
}

// TestStatesOfTheTracker is what its lists say of Debian 12, as findings.
func TestStatesOfTheTracker(t *testing.T) {
	x, _ := index(t)
	for _, c := range []struct{ source, version, want string }{
		{"glibc", "2.36-9", "CVE-2026-0861 no-fix : Its publisher may mend it with a later release: Minor issue."},
		{"sudo", "1.9.13p3-1", ""},
		{"openssh", "1:9.2p1-2+deb12u2", "CVE-2024-6387 affected 1:9.2p1-2+deb12u3: "}, // stands in the list of DSAs alone
		{"openssh", "1:9.2p1-2+deb12u3", ""},
		{"expat", "2.5.0-1+deb12u1", "CVE-2023-52425 affected 2.5.0-1+deb12u2: "},
		{"libxmltok", "1.2-4", "CVE-2023-52425 no-fix : Its publisher will not mend it: Minor issue, no runtime dependencies left."},
		{"zlib", "1:1.2.13.dfsg-1", "CVE-2023-45853 affected 1:1.3.dfsg-2: "}, // no line for the release: that of unstable decides
		{"minizip", "1.1-8", "CVE-2023-45853 no-fix : Nobody mends this package any more."},
		{"perl", "5.36.0-7+deb12u2", "CVE-2023-31484 affected 5.36.0-7+deb12u3: "},
		{"apt", "2.6.1", "CVE-2011-3374 unimportant : Its publisher says that it does no harm here."},
		{"tar", "1.34+dfsg-1.2", "CVE-2005-2541 unimportant : Its publisher says that it does no harm here.\nTEMP-0290435-0B57B5 no-fix : No version that mends it is published."},
		{"tool", "1.0-1", "CVE-2026-1111 undetermined : Its publisher does not know whether it is affected.\nCVE-2026-2222 no-fix : Nobody mends this package any more: not supported."},
	} {
		var said []string
		for _, f := range x.Match(match.Host{Release: "Debian:12", Items: []match.Item{{Name: c.source, Version: c.version}}}) {
			said = append(said, fmt.Sprintf("%s %s %s: %s", f.Advisory, f.Status, f.Fixed, f.Note))
		}
		if got := strings.Join(said, "\n"); got != c.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", c.source, c.version, got, c.want)
		}
	}
}

// TestOrderOfLinesSaysNothing is a law: an entry's lines may stand in any order.
func TestOrderOfLinesSaysNothing(t *testing.T) {
	lines := []string{"\t- expat 2.6.0-1 (bug #1)", "\t[bookworm] - expat <ignored> (Minor issue)", "\t[experimental] - expat 2.5.9-1", "\t[bullseye] - expat 2.2-1+deb11u1"}
	var want string
	for i := range lines {
		rotated := slices.Concat(lines[i:], lines[:i])
		var got string
		_, err := debian.ReadLists(listsOf("CVE-2026-0001\n"+strings.Join(rotated, "\n"), ""), func(a advisory.Advisory) error {
			got = fmt.Sprintf("%+v", a)
			return nil
		})
		if want == "" {
			want = got
		}
		if err != nil || got != want {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
		}
	}
}

// tracker is the JSON that the tracker offers.
const tracker = `{
 "a": {
  "CVE-2020-0001": {"description": "x", "releases": {
    "bookworm": {"status": "resolved", "fixed_version": "0", "urgency": "unimportant"},
    "sid": {"status": "open", "urgency": "high"}}},
  "CVE-2020-0002": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "1.3-1", "urgency": "not yet assigned"}}},
  "CVE-2020-0003": {"releases": {"bookworm": {"status": "open", "urgency": "not yet assigned", "nodsa": "Minor issue", "nodsa_reason": "ignored"}}},
  "CVE-2020-0004": {"releases": {"bookworm": {"status": "open", "urgency": "medium**", "nodsa": "Minor issue", "nodsa_reason": ""}}},
  "CVE-2020-0005": {"releases": {"bookworm": {"status": "open", "urgency": "unimportant"}}},
  "CVE-2020-0006": {"releases": {"bookworm": {"status": "undetermined", "urgency": "not yet assigned"}}},
  "CVE-2020-0007": {"releases": {"bookworm": {"status": "open", "urgency": "end-of-life"}}},
  "CVE-2020-00/../08": {"releases": {"bookworm": {"status": "open", "urgency": "low"}}}
 },
 "b": {"CVE-2020-0002": {"releases": {"bookworm": {"status": "open", "urgency": "high"}}}}
}`

func TestJSONOfTheTracker(t *testing.T) {
	b := match.NewBuilder(nil)
	report, err := debian.Read(strings.NewReader(tracker), b.Add)
	if err != nil || report.Records != 7 || report.Refused != 1 || !strings.Contains(report.Why[0], "CVE-2020-00/../08") {
		t.Fatalf("%+v, %v", report, err)
	}
	var got []string
	for _, f := range b.Index().Match(match.Host{Release: "Debian:12", Items: []match.Item{{Name: "a", Version: "1.2-1"}, {Name: "b", Version: "1.2-1"}}}) {
		got = append(got, fmt.Sprintf("%s %s %s %s %s", f.Item, f.Advisory, f.Status, f.Severity, f.Fixed))
	}
	want := []string{
		"a CVE-2020-0002 affected unknown 1.3-1", "a CVE-2020-0003 no-fix unknown ", "a CVE-2020-0004 no-fix medium ", "a CVE-2020-0005 unimportant low ",
		"a CVE-2020-0006 undetermined unknown ", "a CVE-2020-0007 no-fix unknown ", "b CVE-2020-0002 no-fix high ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\ngot  %q\nwant %q", got, want)
	}
}

// TestWhatBreaksOffIsRefused as a whole: nobody knows what is missing.
func TestWhatBreaksOffIsRefused(t *testing.T) {
	for n := range len(tracker) - 1 {
		if _, err := debian.Read(strings.NewReader(tracker[:n]), func(advisory.Advisory) error {
			t.Error("something of it was taken")
			return nil
		}); err == nil {
			t.Fatalf("the first %d bytes were read as a whole", n)
		}
	}
	if _, err := debian.Read(strings.NewReader(`[1]`), nil); err == nil || !strings.Contains(err.Error(), "security tracker") {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(tracker)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = debian.Read(strings.NewReader(text), func(a advisory.Advisory) error {
			if !advisory.IsID(a.ID) {
				t.Errorf("%q", a.ID)
			}
			return nil
		})
	})
}

func FuzzReadLists(f *testing.F) {
	f.Add(list, dsa)
	f.Fuzz(func(t *testing.T, cves, dsas string) {
		_, _ = debian.ReadLists(listsOf(cves, dsas), func(a advisory.Advisory) error {
			if !advisory.IsID(a.ID) {
				t.Errorf("%q", a.ID)
			}
			return nil
		})
	})
}

func listsOf(cves, dsas string) debian.Lists {
	return debian.Lists{CVE: strings.NewReader(cves), DSA: []io.Reader{strings.NewReader(dsas)}}
}
