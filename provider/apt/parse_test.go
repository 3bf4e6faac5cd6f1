package apt

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"patchbay/patch"
	"patchbay/provider"
)

func TestPlanOfEverything(t *testing.T) {
	p, err := parsePlan(`Reading package lists...
The following packages were automatically installed and are no longer required:
   leftover (1)
Use 'apt autoremove' to remove them.
The following packages will be REMOVED:
   old (1.0) gone*
   bare
`)
	if err == nil {
		t.Error("two packages in a line were accepted")
	}
	p, err = parsePlan(`The following packages will be REMOVED:
   old (1.0)
   purged* (2)
   bare
The following NEW packages will be installed:
   fresh (1:2-3)
The following packages have been kept back:
   kept (1 => 2)
The following upgrades have been deferred due to phasing:
   phased:i386 (1 => 2)
The following packages will be upgraded:
   up (1 => 2)
The following packages will be DOWNGRADED:
   down (2 => 1)
1 upgraded, 1 newly installed, 1 downgraded, 3 to remove and 2 not upgraded.
3 not fully installed or removed.
Need to get 1.5 MB of archives.
After this operation, 1,5 kB of additional disk space will be used.
After this operation, 12.5 MB disk space will be freed.
'http://x/up_2_all.deb' up_2_all.deb 700 SHA256:00
'http://x/fresh_2_all.deb' fresh_2_all.deb 800
`)
	if err != nil {
		t.Fatal(err)
	}
	if p.download != 1500 || p.growth != -12_500_000 || len(p.removed) != 3 || p.removed[1].name != "purged" || p.removed[2].to != "" {
		t.Errorf("the plan is %+v", p)
	}
	if p.phased[0] != (step{"phased", "i386", "1", "2"}) || p.added[0].to != "1:2-3" || len(p.kept) != 1 || len(p.downgrades) != 1 {
		t.Errorf("the plan is %+v", p)
	}
	if err := p.allowed([]string{"old"}); !errors.Is(err, provider.ErrRefused) || strings.Contains(err.Error(), "old,") || !strings.Contains(err.Error(), "purged, bare") {
		t.Errorf("the refusal is %v", err)
	}
}

func TestWhatUpdateSaysOfEachSource(t *testing.T) {
	sources := parseTargets(`'http://a.example/debian/dists/stable/InRelease' a_InRelease 0
'http://a.example/debian/dists/stable-updates/InRelease' b_InRelease 0
'http://user:secret@b.example/x/./InRelease' c_InRelease 0
`)
	if len(sources) != 3 || strings.Contains(sources[2].name+sources[2].base, "secret") {
		t.Fatalf("the sources are %+v", sources)
	}
	const one, two, three = "http://a.example/debian stable", "http://a.example/debian stable-updates", "http://b.example/x ./"
	for name, c := range map[string]struct {
		stdout, stderr string
		bad            map[string]string // by source, a word of what is said
	}{
		"all well": {stdout: "Hit:1 http://a.example/debian stable InRelease\nGet:2 http://a.example/debian stable-updates InRelease [5 kB]\nGet:3 http://b.example/x ./ InRelease [1 kB]\nGet:4 http://a.example/debian stable/main amd64 Packages [9 kB]\n"},
		"bad signature": {
			stdout: "Get:1 http://a.example/debian stable InRelease [5 kB]\nErr:1 http://a.example/debian stable InRelease\n  The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 1234\nHit:2 http://a.example/debian stable-updates InRelease\nHit:3 http://b.example/x ./ InRelease\n",
			stderr: "W: An error occurred during the signature verification. The repository is not updated and the previous index files will be used. GPG error: http://a.example/debian stable InRelease: NO_PUBKEY 1234\nW: Some index files failed to download. They have been ignored, or old ones used instead.\n",
			bad:    map[string]string{one: "NO_PUBKEY"},
		},
		"only a warning": {
			stdout: "Hit:1 http://a.example/debian stable InRelease\nHit:2 http://a.example/debian stable-updates InRelease\nHit:3 http://b.example/x ./ InRelease\n",
			stderr: "W: http://a.example/debian/dists/stable/InRelease: Key is stored in legacy trusted.gpg keyring (/etc/apt/trusted.gpg), see the DEPRECATION section in apt-key(8) for details.\n",
		},
		"list fails after its index": {
			stdout: "Hit:1 http://a.example/debian stable InRelease\nHit:2 http://a.example/debian stable-updates InRelease\nGet:3 http://b.example/x ./ InRelease [1 kB]\nErr:4 http://a.example/debian stable-updates/main amd64 Packages\n  Hash Sum mismatch\n",
			stderr: "E: Failed to fetch http://user:secret@b.example/x/./Packages.gz  File has unexpected size (1 != 2). Mirror sync in progress?\n",
			bad:    map[string]string{two: "Hash Sum", three: "unexpected size"},
		},
		"expired": {
			stdout: "Hit:1 http://a.example/debian stable InRelease\nHit:2 http://a.example/debian stable-updates InRelease\nHit:3 http://b.example/x ./ InRelease\n",
			stderr: "E: Release file for http://a.example/debian/dists/stable/InRelease is expired (invalid since 2d). Updates for this repository will not be applied.\n",
			bad:    map[string]string{one: "expired"},
		},
		"silence": {bad: map[string]string{one: "", two: "", three: ""}},
	} {
		answers := parseUpdate(c.stdout, c.stderr, sources)
		for _, s := range []string{one, two, three} {
			word, bad := c.bad[s]
			a := answers[s]
			if good := a.ok && a.err == ""; good == bad || !strings.Contains(a.err, word) || strings.Contains(a.err, "secret") {
				t.Errorf("%s: %s: got %+v, want it bad: %v", name, s, a, bad)
			}
		}
	}
}

func TestFailuresAreOfTheRightKind(t *testing.T) {
	for stderr, want := range map[string]error{
		"E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12 (apt)\n":                                       provider.ErrBusy,
		"dpkg: error: dpkg frontend lock was locked by another process with pid 77\nNote: removing the lock file is always wrong\n": provider.ErrBusy,
		"E: Failed to fetch http://x/a.deb  Could not resolve 'x'\nE: Unable to fetch some archives\n":                              provider.ErrOffline,
		"E: Failed to fetch http://x/a.deb  404  Not Found [IP: 1.2.3.4 80]\n":                                                      provider.ErrOffline,
		"E: Failed to fetch http://x/a.deb  Hash Sum mismatch\n   Hashes of expected file:\n":                                       provider.ErrRefused,
		"E: There were unauthenticated packages and -y was used without --allow-unauthenticated\n":                                  provider.ErrRefused,
		"E: Version '1' for 'a' was not found\n":                                                                                    provider.ErrRefused,
		"dpkg: error processing archive a.deb (--unpack):\n cannot copy: No space left on device\nE: " + byDpkg + " (1)\n":          provider.ErrRefused,
		"dpkg: error processing package a (--configure):\n subprocess said Could not resolve host\nE: " + byDpkg + " (1)\n":         nil,
		"installed a package post-installation script: Could not get lock on my own file\nE: " + byDpkg + " (1)\n":                  nil,
		"": nil,
	} {
		err := failure(provider.Result{Code: 100, Stderr: stderr})
		for _, kind := range []error{provider.ErrBusy, provider.ErrOffline, provider.ErrRefused} {
			if errors.Is(err, kind) != (kind == want) {
				t.Errorf("%q is %v, want %v", stderr, err, want)
			}
		}
	}
}

func TestSecretsStayOutOfWords(t *testing.T) {
	for _, text := range []string{
		"E: Failed to fetch https://user:secret@host/dists/x  401  Unauthorized", "E: 'http://secret@host/x'", "E: (https://a:secret@[::1]:80/x)",
		"E: https://user:se%zzcret@host/x", "E: https://tok:secret@h?x=1",
	} {
		if got := words(provider.Result{Code: 1, Stderr: text}); strings.Contains(got, "secret") || strings.Contains(got, "cret@") {
			t.Errorf("%q gives %q", text, got)
		}
	}
}

func TestReleaseSaysWhatItIs(t *testing.T) {
	rel, err := parseRelease(strings.NewReader("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: x-security\nDate: Sat, 21 Nov 2026 00:53:02 UTC\nValid-Until: Sat, 28 Nov 2026 00:53:02 UTC\nNotAutomatic: yes\nArchitectures: amd64 all\nNo-Support-for-Architecture-all: Packages\nSHA256:\n " + strings.Repeat("a", 64) + " 12 main/binary-amd64/Packages\n short 1 main/Packages\n " + strings.Repeat("b", 64) + " 5 main/Contents\n-----BEGIN PGP SIGNATURE-----\nOrigin: Evil\n"))
	if err != nil {
		t.Fatal(err)
	}
	if rel.origin != "Debian" || !rel.security() || !rel.notAutomatic || !rel.noAll || rel.date == nil || rel.validUntil == nil || len(rel.lists) != 1 || rel.lists["main/binary-amd64/Packages"].size != 12 {
		t.Errorf("the release is %+v", rel)
	}
	for _, bad := range []string{"yesterday", "Sat, 21 Nov 2026 00:53:02 CET"} {
		if d := parseDate(bad); d != nil {
			t.Errorf("%q is read as %v", bad, d)
		}
	}
}

func TestThirdPartyIsWhoeverIsNotThePublisher(t *testing.T) {
	d := parseDistro("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n")
	for origin, third := range map[string]bool{"Ubuntu": false, "linuxmint": false, "Debian": false, "Docker": true, "": true, "LP-PPA-x": true} {
		if d.thirdParty(origin) != third {
			t.Errorf("%q: third party should be %v", origin, third)
		}
	}
}

func TestPhasedIsToldFromKeptBack(t *testing.T) {
	v := view{}
	block, why := v.whyKept(patch.Item{Name: "x"}, offer{phased: 30, list: &list{}})
	if block != patch.Phased || !strings.Contains(why, "30 of 100") {
		t.Errorf("got %s, %q", block, why)
	}
}

func TestMessagesAreFewAndConflictsAllKept(t *testing.T) {
	var m messages
	for range 100 {
		m.hear("Setting up x (1) ...")
		m.hear("(Reading database ... 5%")
	}
	m.hear("Configuration file '/etc/a b.conf'")
	m.hear(" ==> Modified (by you or by a script) since installation.")
	m.hear(" ==> Keeping old config file as default.")
	m.hear("\x1b[31mE: \xff" + strings.Repeat("y", 5000))
	if got := m.last(); len(got) != maxMessages || len(got[maxMessages-1]) > maxMessage {
		t.Errorf("%d messages", len(got))
	}
	if len(m.conflicts) != 1 || m.conflicts[0] != "/etc/a b.conf" {
		t.Errorf("the conflicts are %q", m.conflicts)
	}
}

func TestFreeSpaceIsReadFromDf(t *testing.T) {
	r, err := parseFree(provider.Result{Stdout: "    Avail Mounted on\n123456789 /mnt/a b\n"})
	if err != nil || r != (room{"/mnt/a b", 123456789}) {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, bad := range []string{"", "Avail Mounted on\n", "Avail\n-5 /\n", "a\nb\n"} {
		if _, err := parseFree(provider.Result{Stdout: bad}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func FuzzStatus(f *testing.F) {
	f.Add("Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nSource: x (2)\n\nPackage: a\n")
	f.Fuzz(func(t *testing.T, text string) {
		files := fstest.MapFS{statusFile: {Data: []byte(text)}, extendedFile: {Data: []byte(text)}}
		in, err := readInstalled(files)
		if err != nil {
			return
		}
		for _, i := range in.sorted() {
			if !isPackageName(i.Name) || !isArchitecture(i.Architecture) || !isPlain(i.Version) {
				t.Fatalf("got %+v", i)
			}
		}
	})
}

func FuzzPackages(f *testing.F) {
	f.Add("Package: bash\nVersion: 1\nArchitecture: amd64\nSize: 5\nSHA256: 00\n\n\n\nVersion: 2\nPackage: bash\nArchitecture: all\n")
	f.Fuzz(func(t *testing.T, text string) {
		offers, err := readOffers(strings.NewReader(text), map[string]bool{"bash": true}, listing{})
		if err != nil {
			return
		}
		for _, o := range offers {
			if o.name != "bash" || !isVersion(o.version) || o.size < 0 || o.phased < 0 || o.phased > 100 {
				t.Fatalf("got %+v", o)
			}
		}
	})
}

func FuzzRelease(f *testing.F) {
	f.Add("Origin: Debian\nDate: Sat, 21 Nov 2026 00:53:02 UTC\nSHA256:\n aa 1 b\n")
	f.Fuzz(func(t *testing.T, text string) {
		rel, err := parseRelease(strings.NewReader(text))
		if err == nil && rel.date == nil && len(rel.lists) == 0 {
			t.Fatal("an index that says nothing was accepted")
		}
	})
}

func FuzzPlan(f *testing.F) {
	f.Add("The following packages will be upgraded:\n   a1 (1 => 2)\n1 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n'u' f 5\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePlan(text)
		if err != nil {
			return
		}
		for _, s := range p.upgrades {
			if !isPackageName(s.name) || !isPlain(s.from) || !isPlain(s.to) {
				t.Fatalf("got %+v", s)
			}
		}
	})
}

func FuzzUpdate(f *testing.F) {
	f.Add("Hit:1 http://a/d s InRelease\nErr:2 http://a/d s InRelease\n  why\n", "W: GPG error: http://a/d s InRelease\nE: x\n", "'http://a/d/dists/s/InRelease' f 0\n'http://a/d/dists/s/m/Packages.xz' g 0\n")
	f.Fuzz(func(t *testing.T, stdout, stderr, targets string) {
		sources := parseTargets(targets)
		for name, a := range parseUpdate(stdout, stderr, sources) {
			if len(a.err) > maxWords {
				t.Fatalf("%s: %d bytes", name, len(a.err))
			}
		}
		for _, s := range sources {
			for _, l := range s.lists {
				l.required()
			}
		}
	})
}

func FuzzWithoutUsers(f *testing.F) {
	f.Add("https://user:secret@host/x")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, " \t\r\n") {
			return
		}
		got := withoutUsers("http://u:topsecret@" + text)
		if strings.Contains(got, "topsecret") {
			t.Fatalf("got %q", got)
		}
	})
}
