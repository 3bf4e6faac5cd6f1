package bed_test

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/test/bed"
)

// Each fault is found by apt itself, which then offers what it knew before.
func TestFaultyArchiveIsRefused(t *testing.T) {
	for fault, complaint := range map[bed.Fault]string{
		bed.WrongKey: "NO_PUBKEY",
		bed.Unsigned: "no longer signed",
		bed.Expired:  "is expired",
		bed.Tampered: "Hash Sum mismatch",
	} {
		t.Run(string(fault), func(t *testing.T) {
			s := setScene(t, bed.Options{}, "bed-lib")
			s.archive.Publish(t, bed.Stable, "1.1")
			s.archive.Break(t, bed.Stable, fault)
			r, err := s.Apt(t.Context(), "update")
			if err != nil {
				t.Fatal(err)
			}
			mention(t, r.Stdout+r.Stderr, complaint)
			s.apt(t, 0, "dist-upgrade")
			s.expect(t, "bed-lib", "1.0 installed")
			s.archive.Break(t, bed.Stable, bed.Sound)
			s.apt(t, 0, "update")
			s.apt(t, 0, "dist-upgrade")
			s.expect(t, "bed-lib", "1.1 installed")
		})
	}
}

func TestPackageWithAnotherHashIsNotInstalled(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.archive.Break(t, bed.Stable, bed.HashMismatch)
	s.offer(t, "1.1")
	mention(t, s.apt(t, 100, "dist-upgrade"), "Hash Sum mismatch")
	s.expect(t, "bed-lib", "1.0 installed")
}

func TestUnreachableArchive(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.offer(t, "1.1")
	fail := func(because string) {
		t.Helper()
		mention(t, s.apt(t, 100, "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=2", "dist-upgrade"), because)
		s.expect(t, "bed-lib", "1.0 installed")
	}
	s.origin.Stop()
	fail("Connection refused")
	if err := s.origin.Start(); err != nil {
		t.Fatal(err)
	}
	s.origin.Fail(http.StatusServiceUnavailable)
	fail("503")
	s.origin.Fail(0)
	if err := s.CutNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	fail("E: Unable to fetch some archives")
	if err := s.RestoreNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.apt(t, 0, "dist-upgrade")
	s.expect(t, "bed-lib", "1.1 installed")
	if !strings.Contains(strings.Join(s.origin.Fetched(), " "), "bed-lib_1.1_") {
		t.Error("the origin has no record of bed-lib 1.1")
	}
}

func TestForgottenListsOfferNothing(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib")
	s.offer(t, "1.1")
	if err := s.ForgetLists(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.apt(t, 0, "dist-upgrade")
	s.expect(t, "bed-lib", "1.0 installed")
	s.apt(t, 0, "update")
	s.apt(t, 0, "dist-upgrade")
	s.expect(t, "bed-lib", "1.1 installed")
}

func TestWithdrawnVersionIsGone(t *testing.T) {
	s := setScene(t, bed.Options{}, "bed-lib", "bed-conf")
	s.archive.Publish(t, bed.Stable, "1.1")
	s.archive.Withdraw(t, bed.Stable, "bed-lib=1.1")
	s.apt(t, 0, "update")
	s.apt(t, 0, "dist-upgrade")
	s.expect(t, "bed-lib", "1.0 installed", "bed-conf", "1.1 installed")
}

func TestIndexIsDatedByTheTest(t *testing.T) {
	s := setScene(t, bed.Options{})
	s.archive.Now = func() time.Time { return time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC) }
	s.offer(t, "1.1")
	mention(t, s.Must(t, "find", "/var/lib/apt/lists", "-name", "*_stable_InRelease", "-exec", "cat", "{}", ";"), "Date: Thu, 29 Feb 2024 12:00:00 UTC")
}

// Two processes with a cold cache are like two goroutines: what they share is a
// lock on a file.
func TestTwoAtOnceBuildThePackagesOnce(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("PATCHBAY_BED_CACHE", cache)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { bed.NewArchive(t) })
	}
	both.Wait()
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	var pools []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "pool-") {
			pools = append(pools, e.Name())
		}
	}
	if len(pools) != 1 {
		t.Errorf("the cache holds %v", pools)
	}
}
