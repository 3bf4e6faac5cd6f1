package apt

import (
	"fmt"
	"strings"

	"patchbay/provider"
)

// What apt's own words mean for what comes next. The first sign that is found counts, so
// what needs a person stands before what helps itself.
var signs = []provider.Sign{
	{Kind: provider.ErrBusy, Words: []string{"Could not get lock", "Unable to lock", "is another process using it", "Unable to acquire the dpkg frontend lock", "locked by another process"}},
	{Kind: provider.ErrRefused, Words: []string{
		"Hash Sum mismatch", "File has unexpected size", "Hashes of expected file", "unauthenticated packages", "could not be authenticated",
		"Held packages were changed", "Packages need to be removed but remove is disabled", "Packages were downgraded", "unmet dependencies",
		"Unmet dependencies", "held broken packages", "pkgProblemResolver", "was not found", "Unable to locate package", "No space left on device",
		"You don't have enough free space", "are you root?", "Permission denied", "Read-only file system", "Essential packages were removed",
	}},
	{Kind: provider.ErrOffline, Words: []string{
		"Could not resolve", "Temporary failure resolving", "Connection refused", "Connection timed out", "connection timed out", "Unable to connect",
		"Could not connect", "Network is unreachable", "No route to host", "Connection reset", "404  Not Found", "Connection failed",
		"Failed to fetch", "Unable to fetch some archives", "Could not handshake", "Certificate verification failed", "File not found",
	}},
}

// byDpkg is apt's word for a failure that was not its own.
const byDpkg = "Sub-process /usr/bin/dpkg returned an error code"

// failure says what a failed run of apt means.
func failure(res provider.Result) error {
	said := words(res)
	if said := dpkgWords(res.Stderr); said != "" {
		switch {
		case strings.Contains(said, "locked by another process"):
			return fmt.Errorf("%w: %s", provider.ErrBusy, said)
		case strings.Contains(res.Stderr, "No space left on device"):
			return fmt.Errorf("%w: no space is left on the device: %s", provider.ErrRefused, said)
		}
		// What a package's own script said is not apt's word on the network or the lock.
		return fmt.Errorf("dpkg failed: %s", said)
	}
	return provider.Failure("apt", said, signs)
}

// dpkgWords gives dpkg's errors, each with the line that explains it; "" when there are none.
func dpkgWords(stderr string) string {
	var said []string
	explains := false
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "dpkg: error"):
			said = append(said, strings.TrimPrefix(line, "dpkg: "))
			explains = true
			continue
		case explains && strings.HasPrefix(line, " "):
			said[len(said)-1] += " " + strings.TrimSpace(line)
		}
		explains = false
	}
	if len(said) == 0 && strings.Contains(stderr, byDpkg) {
		said = provider.LastLines(stderr, 3)
	}
	return provider.Clip(strings.ToValidUTF8(strings.Join(said, "; "), "?"), maxWords)
}
