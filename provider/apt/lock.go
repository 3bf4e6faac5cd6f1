package apt

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"patchbay/provider"
)

// heldBy is how apt and dpkg name the process that holds their lock.
var heldBy = regexp.MustCompile(`(?:It is held by process|locked by another process with pid) (\d{1,10})(?: \(([^)]{1,64})\))?`)

// explain says what a failed run means, and names the other package manager where one is
// in the way. Its lock is never broken.
func (a *Apt) explain(res provider.Result) error {
	if strings.Contains(res.Stderr, "are you root?") || strings.Contains(res.Stderr, "Permission denied") {
		return fmt.Errorf("%w: only root may install packages: %s", provider.ErrRefused, words(res))
	}
	err := failure(res)
	m := heldBy.FindStringSubmatch(res.Stderr + res.Stdout)
	if m == nil {
		return err
	}
	program := m[2]
	if program == "" {
		program = a.programOf(m[1])
	}
	return fmt.Errorf("%w: another package manager is at work: %s (process %s)", provider.ErrBusy, program, m[1])
}

// programOf gives a process's own name for itself.
func (a *Apt) programOf(pid string) string {
	b, err := fs.ReadFile(a.env.Host.Files(), "proc/"+pid+"/comm")
	if err != nil {
		return "a program that is gone or not visible"
	}
	return strings.TrimSpace(string(b))
}
