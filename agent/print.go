package agent

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Print says in a few lines how the agent stands.
func (s Standing) Print(w io.Writer, now time.Time) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("Device", "%s of %s, site %s", s.Device, s.Customer, s.Site)
	line("Server", "%s", s.Server)
	line("Mode", "%s", s.Mode)
	line("Last check-in", "%s", ago(s.Status.LastCheckIn, now))
	line("Last scan", "%s", ago(s.Status.ScannedAt, now))
	if now.Before(s.Status.HeldCalls) {
		line("Wake-up", "%s", "by held calls, one after the other: something between this machine and the server keeps its stream of events back. "+
			"The stream is tried again at "+s.Status.HeldCalls.Local().Format("15:04:05")+".")
	}
	if s.Status.Error != "" {
		line("Problem", "%s (since %s)", s.Status.Error, ago(s.Status.ErrorSince, now))
	}
	for _, problem := range []string{s.Status.RefusedOrders, s.Status.RefusedDocument, s.Status.Problem, s.Damage} {
		if problem != "" {
			line("Problem", "%s", problem)
		}
	}
	if s.Pending > 0 {
		line("To be told", "%d outcomes", s.Pending)
	}
	for _, j := range s.Jobs {
		if !j.Step.Ended() {
			line("Job", "%s %s to %s: %s %s", j.Target.Provider, j.Target.Name, j.Target.To, j.Step, j.Why)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ago says how long something is past.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return fmt.Sprintf("%s (%s ago)", t.Local().Format("2006-01-02 15:04:05"), now.Sub(t).Round(time.Second))
}
