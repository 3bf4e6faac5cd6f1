package api

import (
	"context"
	"slices"
	"strings"

	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// timelineRows bounds what one source adds to a timeline.
const timelineRows = 500

func (s *Server) timeline(ctx context.Context, in *ItemsParams) (*Out[view.Page[view.TimelineEntry]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	d, h, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	entries, err := s.entries(ctx, d, h)
	if err != nil {
		return nil, err
	}
	entries = chosen(entries, func(e view.TimelineEntry) bool { return matches(f.Q, e.Title, e.Sentence, e.Actor) })
	p := view.Paginate(entries, f, true, func(e view.TimelineEntry) string { return view.Moment(&e.At) },
		func(e view.TimelineEntry) string { return e.Kind + " " + e.Title + " " + e.Job })
	return page(p, f, s.Now()), nil
}

// entries gathers what happened to a device from all rows that tell of it.
func (s *Server) entries(ctx context.Context, d view.Device, h *store.Customer) ([]view.TimelineEntry, error) {
	all := []view.TimelineEntry{{At: d.Agent.EnrolledAt, Kind: "enrolled", Title: "Enrolled"}}
	if d.ScannedAt != nil {
		all = append(all, view.TimelineEntry{At: *d.ScannedAt, Kind: "scan", Title: "Last complete scan"})
	}
	jobs, err := h.Jobs(ctx, store.JobFilter{Device: d.ID, Limit: timelineRows})
	if err != nil {
		return nil, err
	}
	of := map[string]string{}
	for _, j := range jobs {
		of[j.ID] = j.Target.Name + " " + j.Target.From + " → " + j.Target.To
		all = append(all, view.TimelineEntry{At: j.CreatedAt, Kind: "job", Title: "Install " + of[j.ID], Job: j.ID, Actor: j.Forced})
	}
	outcomes, err := h.Outcomes(ctx, store.OutcomeFilter{Device: d.ID, Limit: timelineRows})
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
	for _, a := range approvals[:min(len(approvals), timelineRows)] {
		all = append(all, view.TimelineEntry{At: a.At, Kind: "approval", Title: answerTitle(a), Sentence: a.Reason, Actor: a.ByName})
	}
	acts, err := h.Audit(ctx, store.AuditFilter{Device: d.ID, Limit: timelineRows})
	if err != nil {
		return nil, err
	}
	for _, a := range acts {
		if !toldElsewhere(a.Act) {
			all = append(all, view.TimelineEntry{At: a.At, Kind: "audit", Title: actTitle(a.Act), Actor: a.ActorName})
		}
	}
	slices.SortStableFunc(all, func(a, b view.TimelineEntry) int { return b.At.Compare(a.At) })
	return all, nil
}

// outcomeEntry is placed by the server's clock: the device's own may be wrong.
func outcomeEntry(o store.OutcomeRow, of string) view.TimelineEntry {
	title := map[wire.Step]string{
		wire.StepStaging: "Downloaded", wire.StepWaiting: "Waited", wire.StepPreflight: "Checked before installing",
		wire.StepApplying: "Installed", wire.StepRebooting: "Rebooted", wire.StepVerifying: "Verified by a scan",
		wire.StepDone: "Done", wire.StepFailed: "Failed",
	}[o.Step]
	if o.Result != wire.ResultOK && o.Step != wire.StepFailed {
		title += " (" + string(o.Result) + ")"
	}
	return view.TimelineEntry{At: o.ReceivedAt, Kind: "outcome", Title: strings.TrimSpace(title + " " + of),
		Sentence: o.Message, Job: o.Job, Detail: o.Detail}
}

func answerTitle(a store.Approval) string {
	word := "Approved "
	if a.Answer == store.Reject {
		word = "Rejected "
	}
	return word + a.Name + " " + a.Version
}

// toldElsewhere reports whether an act shows in a timeline as a row of its own already.
func toldElsewhere(act string) bool {
	return strings.HasPrefix(act, "approval.create") || strings.HasPrefix(act, "job.")
}
