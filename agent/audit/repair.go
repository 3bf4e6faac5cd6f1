package audit

import (
	"fmt"
	"strings"
	"time"

	"patchbay/patch"
)

// care are sentences on what is wrong with the manager behind a source, whose turn it is, and
// what was done.
type care struct {
	State string   // one sentence; "" where nothing is wrong
	Turn  string   // one sentence; "" where nobody has to do anything
	Done  []string // the newest first
}

func careOf(s patch.Source, now time.Time) care {
	r := s.Repair
	if r == nil {
		return care{}
	}
	var c care
	if r.Why != "" {
		what := "It cannot look for updates"
		if !r.Search {
			what = "It looks for updates, and some cannot be installed"
		}
		c.State = what
		if r.Since != nil {
			c.State += ", since " + day(*r.Since)
		}
		c.State += ": " + strings.TrimSuffix(r.Why, ".")
		if r.Code != "" {
			c.State += " (" + r.Code + ")"
		}
		c.State += "."
	}
	c.Turn = turnWords(*r, now)
	for _, a := range r.Done {
		c.Done = append(c.Done, actWords(a, now))
	}
	return c
}

// turnWords says whose turn it is and what they can do.
func turnWords(r patch.Repair, now time.Time) string {
	next := ""
	if r.Next != "" {
		next = " " + r.Next
	}
	switch r.Turn {
	case patch.TurnRetry:
		return "It is tried again by itself." + next
	case patch.TurnPatchbay:
		when := "in its next window"
		if r.After != nil && r.After.After(now) {
			when = "in a window after " + r.After.UTC().Format("2 January 2006, 15:04 UTC")
		}
		return fmt.Sprintf("The agent mends it by %s, %s (done %d of %d times).", r.Act, when, r.Tries, r.Most)
	case patch.TurnPerson:
		tried := ""
		if r.Most > 0 {
			tried = fmt.Sprintf("%s was done %d times and did not help. ", sentenceCase(r.Act), r.Tries)
		}
		return tried + "A person has to act." + next
	}
	return ""
}

func actWords(a patch.RepairAct, now time.Time) string {
	end := map[patch.RepairResult]string{
		patch.RepairWorked: "after it, updates were looked for again", patch.RepairFailed: "it did not help", patch.RepairCut: "nothing says how it ended",
	}[a.Result]
	s := fmt.Sprintf("%s, %s (try %d): %s", sentenceCase(a.Act), age(now.Sub(a.At)), a.Try, end)
	if a.Code != "" {
		s += ", for " + a.Code
	}
	if a.Said != "" {
		s += ": " + strings.TrimSuffix(a.Said, ".")
	}
	return s + "."
}

func sentenceCase(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// findStuck names managers that stay as they are until a person acts.
func (r *Report) findStuck(now time.Time) {
	for _, s := range r.Sources {
		if s.Repair == nil || s.Repair.Turn != patch.TurnPerson {
			continue
		}
		c := careOf(s, now)
		r.add("source_stuck", High, 0, "%s is stuck. %s %s", s.Name, c.State, c.Turn)
	}
}
