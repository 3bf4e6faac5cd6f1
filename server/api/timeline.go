package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// timelineRows bounds what one source adds to a timeline; a story has all.
const (
	timelineRows = 500
	allRows      = 0
)

func (s *Server) timeline(ctx context.Context, in *ItemsParams) (*Out[view.Page[view.TimelineEntry]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	d, h, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	entries, err := s.entries(ctx, d, h, timelineRows)
	if err != nil {
		return nil, err
	}
	entries = chosen(entries, func(e view.TimelineEntry) bool { return matches(f.Q, e.Title, e.Sentence, e.Actor) })
	p := view.Paginate(entries, f, true, func(e view.TimelineEntry) string { return view.Moment(&e.At) },
		func(e view.TimelineEntry) string { return e.Kind + " " + e.Title + " " + e.Job })
	return page(p, f, s.Now()), nil
}

// entries gathers what happened to a device from all rows that tell of it, of each kind the
// newest most.
func (s *Server) entries(ctx context.Context, d view.Device, h *store.Customer, most int) ([]view.TimelineEntry, error) {
	teller, err := s.teller(ctx)
	if err != nil {
		return nil, err
	}
	var all []view.TimelineEntry
	if d.ScannedAt != nil {
		all = append(all, view.TimelineEntry{At: *d.ScannedAt, Kind: "scan", Title: "Last complete scan",
			Sentence: "All that is installed and all that is on offer was read."})
	}
	jobs, err := h.Jobs(ctx, store.JobFilter{Devices: []string{d.ID}, Limit: most})
	if err != nil {
		return nil, err
	}
	of := map[string]wire.Job{}
	for _, j := range jobs {
		of[j.ID] = j.Job
		all = append(all, teller.jobEntry(j))
	}
	outcomes, err := h.Outcomes(ctx, store.OutcomeFilter{Device: d.ID, Limit: most})
	if err != nil {
		return nil, err
	}
	for _, o := range outcomes {
		all = append(all, outcomeEntry(o, of[o.Job]))
	}
	approvals, err := h.Approvals(ctx, store.ApprovalFilter{Targets: []string{d.ID, d.Site.ID, d.Customer.ID}})
	if err != nil {
		return nil, err
	}
	if most > 0 {
		approvals = approvals[:min(len(approvals), most)]
	}
	for _, a := range approvals {
		all = append(all, teller.answerEntry(a))
	}
	acts, err := h.Audit(ctx, store.AuditFilter{Device: d.ID, Limit: most})
	if err != nil {
		return nil, err
	}
	for _, a := range acts {
		if e, ok := teller.actEntry(a); ok {
			all = append(all, e)
		}
	}
	if !slices.ContainsFunc(all, func(e view.TimelineEntry) bool { return e.Kind == "enrolled" }) {
		all = append(all, view.TimelineEntry{At: d.Agent.EnrolledAt, Kind: "enrolled", Title: "Enrolled into " + plainName(d.Site.Name, "its site")})
	}
	slices.SortStableFunc(all, func(a, b view.TimelineEntry) int { return b.At.Compare(a.At) })
	return all, nil
}

// jobEntry is the order: that Patchbay wants something done, and when it may begin.
func (t *teller) jobEntry(j store.Job) view.TimelineEntry {
	e := view.TimelineEntry{At: j.CreatedAt, Kind: "job", Title: "Ordered: " + change(j.Job), Job: j.ID,
		Sentence: "It begins in the next maintenance window."}
	if j.Forced != "" {
		e.Actor = plainName(t.person(j.Forced).Name, "")
		e.Sentence = "It may begin at once, outside the maintenance window: a person asked for that."
	}
	return e
}

// answerEntry is a person's answer that holds for the device.
func (t *teller) answerEntry(a store.Approval) view.TimelineEntry {
	p := actPayload{Name: a.Name, Version: a.Version, Answer: string(a.Answer), Level: string(a.Level), Target: a.Target,
		Follow: a.Follow, AllowRemovals: a.AllowRemovals, ForcedUntil: a.ForcedUntil}
	e := view.TimelineEntry{At: a.At, Kind: "approval", Title: capital(t.answered(store.AuditRow{}, p)),
		Sentence: a.Reason, Actor: plainName(a.ByName, "")}
	if a.WithdrawnAt != nil {
		e.Sentence = strings.TrimSpace(e.Sentence + " (Taken back since.)")
	}
	return e
}

// actEntry is an act on the audit chain; false when it shows as a row of its own already.
func (t *teller) actEntry(a store.AuditRow) (view.TimelineEntry, bool) {
	e := view.TimelineEntry{At: a.At, Kind: "audit", Title: capital(t.sentence(a)), Actor: actor(a)}
	switch a.Act {
	case "approval.create", "job.create":
		return e, false
	case "agent.enroll":
		e.Kind, e.Actor = "enrolled", ""
		e.Title = capital(strings.TrimPrefix(t.sentence(a), "was "))
	}
	return e, true
}

// capital begins a title.
func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}

// said is how a step's outcome reads in a title, before what it was about.
type said struct{ ok, not string }

func stepTitles(verb string) map[wire.Step]said {
	titles := map[wire.Step]said{
		wire.StepStaging:    {"Downloaded", "Could not download"},
		wire.StepWaiting:    {"Waited for the maintenance window", "Could not wait for the maintenance window"},
		wire.StepPreflight:  {"Checked that it can be installed", "Found that it cannot be installed now"},
		wire.StepApplying:   {"Installed", "Could not install"},
		wire.StepRestarting: {"Restarted a service", "Could not restart a service"},
		wire.StepRebooting:  {"Rebooted", "Could not reboot"},
		wire.StepVerifying:  {"Read again by a scan", "Not found by the scan afterwards"},
		wire.StepDone:       {"Finished and verified", "Did not finish"},
		wire.StepFailed:     {"Failed", "Failed"},
	}
	if verb == wire.VerbUndo {
		titles[wire.StepPreflight] = said{"Checked that it can be done", "Found that it cannot be done now"}
		titles[wire.StepApplying] = said{"Done", "Could not finish"}
	}
	return titles
}

// resultSentence explains a result that has no words of its own.
func resultSentence(r wire.Result) string {
	switch r {
	case wire.ResultBusy:
		return "Another program was installing or updating software. It is tried again."
	case wire.ResultOffline:
		return "The place where updates come from could not be reached. It is tried again."
	case wire.ResultRefused:
		return "The device refused it: a person must look."
	case wire.ResultFailed:
		return "The device gave no reason."
	}
	return ""
}

// outcomeEntry is placed by the server's clock: the device's own may be wrong.
func outcomeEntry(o store.OutcomeRow, of wire.Job) view.TimelineEntry {
	if o.Result == wire.ResultTold {
		return noticeEntry(o)
	}
	titles := stepTitles(of.Verb)
	words, known := titles[o.Step]
	if !known {
		words = said{"Did " + plainName(string(o.Step), "something"), "Could not do " + plainName(string(o.Step), "something")}
	}
	title, sentence := words.ok, o.Message
	if o.Result != wire.ResultOK {
		title = words.not
		if strings.TrimSpace(sentence) == "" {
			sentence = resultSentence(o.Result)
		}
	}
	if o.Step == wire.StepDone && o.Result == wire.ResultOK && !verifiedBy(o.Receipt) {
		title = titles[wire.StepApplying].ok + ", not active yet"
	}
	if of.Target.Name != "" {
		title += ": " + change(of)
	}
	return view.TimelineEntry{At: o.ReceivedAt, Kind: "outcome", Title: title, Sentence: sentence, Job: o.Job, Detail: o.Detail}
}

// noticeEntry is what people were told or asked about a reboot.
func noticeEntry(o store.OutcomeRow) view.TimelineEntry {
	title := "Told those who are logged in about a reboot"
	var r wire.Receipt
	if o.Receipt != nil && json.Unmarshal(o.Receipt.Payload, &r) == nil && r.Notice != nil {
		switch n := r.Notice; {
		case len(n.Choices) > 0 && n.Problem != "":
			title = "Could not ask when the device may reboot"
		case len(n.Choices) > 0:
			title = "Asked when the device may reboot"
		case n.Problem != "":
			title = "Could not tell those who are logged in about a reboot"
		}
	}
	return view.TimelineEntry{At: o.ReceivedAt, Kind: "notice", Title: title, Sentence: o.Message, Job: o.Job}
}

// verifiedBy reports whether a receipt says that a scan found the new version, active. The
// job's own page says whether the signature holds.
func verifiedBy(receipt *wire.Envelope) bool {
	var r wire.Receipt
	return receipt != nil && json.Unmarshal(receipt.Payload, &r) == nil && r.Verified
}
