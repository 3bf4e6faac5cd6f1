package api

import (
	"context"
	"encoding/json"
	"net/http"

	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// newestJobs bounds how many jobs a list looks at: the newest ones.
const newestJobs = 20_000

// JobsParams are what the list of jobs takes.
type JobsParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Device   string `query:"device" maxLength:"60"`
	State    string `query:"state" enum:"running,ended,failed"`
	Sort     string `query:"sort" enum:"created_at,-created_at,name,-name,device,-device" doc:"-created_at by default"`
}

func (s *Server) jobs(ctx context.Context, in *JobsParams) (*Out[view.Page[view.Job]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	only := store.JobFilter{Open: in.State == "running", Limit: newestJobs}
	if in.Device != "" {
		only.Devices = []string{in.Device}
	}
	rows, err := s.jobRows(ctx, in.Customer, only)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	var views []view.Job
	for _, row := range rows {
		if !jobIn(row, in.State) {
			continue
		}
		if v := s.jobView(row, names); matches(f.Q, v.Item.Name, v.Device.Name, v.To) {
			views = append(views, v)
		}
	}
	field, descending := f.Field("-created_at")
	p := view.Paginate(views, f, descending, func(v view.Job) string { return jobKey(v, field) },
		func(v view.Job) string { return v.ID })
	return page(p, f, s.Now()), nil
}

// jobRows reads the jobs of one customer, or of all.
func (s *Server) jobRows(ctx context.Context, customer string, f store.JobFilter) ([]store.Job, error) {
	if customer == "" {
		return s.Store.MSP(who(ctx)).Jobs(ctx, f)
	}
	return s.Store.Customer(who(ctx), customer).Jobs(ctx, f)
}

func jobIn(j store.Job, state string) bool {
	switch state {
	case "running":
		return j.EndedAt == nil
	case "ended":
		return j.EndedAt != nil
	case "failed":
		return j.Step == wire.StepFailed
	}
	return true
}

func jobKey(v view.Job, field string) string {
	switch field {
	case "name":
		return view.Fold(v.Item.Name)
	case "device":
		return view.Fold(v.Device.Name)
	}
	return view.Moment(&v.CreatedAt)
}

func (s *Server) jobView(j store.Job, names names) view.Job {
	device := view.Ref{ID: j.Device, Name: j.Device}
	if d, ok := s.Fleet.Device(s.Now(), j.Device); ok {
		device.Name = d.Name
	}
	return view.Job{
		ID: j.ID, Device: device, Customer: names.customer(j.Customer), Item: view.ItemKeyOf(j.Target.Key()),
		From: j.Target.From, To: j.Target.To, Verb: j.Verb, Decision: j.Decision, Attempt: j.Attempt,
		NotBefore: j.NotBefore, NotAfter: j.NotAfter, Forced: names.person(j.Forced).Name,
		Step: j.Step, StepSince: j.StepSince, Why: j.Why, Result: j.Result, Message: j.Message,
		CreatedAt: j.CreatedAt, EndedAt: j.EndedAt, WithdrawnAt: j.WithdrawnAt,
	}
}

func (s *Server) deviceJobs(ctx context.Context, in *struct {
	DevicePath
	ListParams
}) (*Out[view.Page[view.Job]], error) {
	d, _, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	return s.jobs(ctx, &JobsParams{ListParams: in.ListParams, Customer: d.Customer.ID, Device: d.ID})
}

// JobPath names a job.
type JobPath struct {
	Job string `path:"job" maxLength:"60"`
}

func (s *Server) job(ctx context.Context, in *JobPath) (*Out[view.JobDetail], error) {
	rows, err := s.Store.MSP(who(ctx)).Jobs(ctx, store.JobFilter{ID: in.Job})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, notFound()
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	detail := view.JobDetail{Job: s.jobView(rows[0], names)}
	h := s.Store.Customer(who(ctx), rows[0].Customer)
	outcomes, err := h.Outcomes(ctx, store.OutcomeFilter{Job: in.Job})
	if err != nil {
		return nil, err
	}
	for _, o := range outcomes {
		detail.Outcomes = append(detail.Outcomes, view.Outcome{
			Seq: o.Seq, Step: o.Step, Result: o.Result, At: o.At, ReceivedAt: o.ReceivedAt, Message: o.Message, Detail: o.Detail, Signed: o.Receipt != nil,
		})
		if o.Receipt != nil && o.Step.Ended() && detail.Receipt == nil {
			detail.Receipt = s.receipt(ctx, h, o)
		}
	}
	return out(detail), nil
}

// jobReceipt gives a job's receipt as the agent signed it, to be checked elsewhere, or the one
// of what people were told or asked for it.
func (s *Server) jobReceipt(ctx context.Context, in *struct {
	JobPath
	Outcome int64 `query:"outcome" minimum:"1" doc:"The seq of an outcome that has a record of its own; the job's end when left out"`
}) (*Out[wire.SignedReceipt], error) {
	rows, err := s.Store.MSP(who(ctx)).Jobs(ctx, store.JobFilter{ID: in.Job})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, notFound()
	}
	h := s.Store.Customer(who(ctx), rows[0].Customer)
	outcomes, err := h.Outcomes(ctx, store.OutcomeFilter{Job: in.Job})
	if err != nil {
		return nil, err
	}
	outcomes = chosen(outcomes, func(o store.OutcomeRow) bool {
		return o.Receipt != nil && (o.Seq == in.Outcome || in.Outcome == 0 && o.Step.Ended())
	})
	all, err := signedReceipts(ctx, h, outcomes)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 && in.Outcome != 0 {
		return nil, problem(http.StatusNotFound, "There is no receipt of this outcome.")
	}
	if len(all) == 0 {
		return nil, problem(http.StatusNotFound, "There is no receipt of this job: its device has not told of its end.")
	}
	return out(all[0]), nil
}

// signedReceipts are the receipts among outcomes, each with the key of its agent.
func signedReceipts(ctx context.Context, h *store.Customer, outcomes []store.OutcomeRow) ([]wire.SignedReceipt, error) {
	all, keys := []wire.SignedReceipt{}, map[string][]byte{}
	for _, o := range outcomes {
		if o.Receipt == nil {
			continue
		}
		if keys[o.Agent] == nil {
			agent, err := h.Agent(ctx, o.Agent)
			if err != nil {
				return nil, err
			}
			keys[o.Agent] = agent.PublicKey
		}
		all = append(all, wire.SignedReceipt{Document: *o.Receipt, Key: keys[o.Agent]})
	}
	return all, nil
}

// receipt reads a job's receipt and checks its signature with the key that the agent
// enrolled with. One that is not signed by it is shown, and shown as that.
func (s *Server) receipt(ctx context.Context, h *store.Customer, o store.OutcomeRow) *view.Receipt {
	var r wire.Receipt
	shown := &view.Receipt{}
	if len(o.Receipt.Signatures) > 0 {
		shown.Key = o.Receipt.Signatures[0].Key
	}
	if agent, err := h.Agent(ctx, o.Agent); err == nil {
		if pub, err := agent.Key(); err == nil {
			name, err := o.Receipt.Open(wire.ReceiptDocument, &r, pub)
			shown.SignatureOK = err == nil && r.Job == o.Job
			if shown.SignatureOK {
				shown.Key = name
			}
		}
	}
	if !shown.SignatureOK && json.Unmarshal(o.Receipt.Payload, &r) != nil {
		return shown
	}
	shown.Verified = r.Verified && shown.SignatureOK
	shown.Before, shown.After, shown.Changes, shown.Conflicts = r.Before, r.After, r.Changes, r.Conflicts
	shown.BootBefore, shown.BootAfter, shown.StartedAt, shown.EndedAt = r.BootBefore, r.BootAfter, r.StartedAt, r.EndedAt
	return shown
}
