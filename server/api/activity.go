package api

import (
	"context"

	"patchbay/server/store"
	"patchbay/server/view"
)

// mspChain is the chain of the MSP's own acts.
const mspChain = "msp"

// newestActs bounds how many acts a list looks at: the newest ones.
const newestActs = 20_000

// ActivityParams are what the list of acts takes.
type ActivityParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60" doc:"A customer's ID, or msp for the MSP's own acts"`
	Device   string `query:"device" maxLength:"60"`
}

func (s *Server) activity(ctx context.Context, in *ActivityParams) (*Out[view.Page[view.Activity]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.MSP(who(ctx)).Audit(ctx, store.AuditFilter{Chain: in.Customer, Device: in.Device, Limit: newestActs})
	if err != nil {
		return nil, err
	}
	teller, err := s.teller(ctx)
	if err != nil {
		return nil, err
	}
	var views []view.Activity
	for _, row := range rows {
		v := teller.view(row)
		if matches(f.Q, v.Sentence, v.Actor.Name, v.Act, v.Object, v.ChainName) {
			views = append(views, v)
		}
	}
	p := view.Paginate(views, f, true, func(v view.Activity) string { return view.Moment(&v.At) + view.Number(v.Seq) },
		func(v view.Activity) string { return v.Chain })
	return page(p, f, s.Now()), nil
}

func (t *teller) view(row store.AuditRow) view.Activity {
	return view.Activity{
		Chain: row.Chain, ChainName: chainName(row.Chain, t.names), Seq: row.Seq, At: row.At,
		Actor: view.Ref{ID: row.Actor, Name: actor(row)}, Act: row.Act, Object: row.Object,
		Device: row.Device, Sentence: t.sentence(row), Hash: row.Hash, Payload: row.Payload,
	}
}

func chainName(chain string, names names) string {
	if chain == mspChain {
		return "MSP"
	}
	return names.customers[chain]
}

// teller reads the names that sentences need: also those of devices that are gone.
func (s *Server) teller(ctx context.Context) (*teller, error) {
	n, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	devices, err := s.Store.MSP(who(ctx)).Devices(ctx, store.DeviceFilter{})
	for _, d := range devices {
		n.devices[d.ID] = d.Name
	}
	return newTeller(n), err
}

// ChainChecks says whether the audit chains are whole.
type ChainChecks struct {
	Chains []view.ChainCheck `json:"chains"`
}

func (s *Server) verifyActivity(ctx context.Context, _ *Empty) (*Out[ChainChecks], error) {
	states, err := s.Store.MSP(who(ctx)).VerifyChains(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	checks := ChainChecks{Chains: []view.ChainCheck{}}
	for _, c := range states {
		checks.Chains = append(checks.Chains, view.ChainCheck{
			Chain: c.Chain, Name: chainName(c.Chain, names), Rows: c.Rows, OK: c.Broken == "", Problem: c.Broken,
		})
	}
	return out(checks), nil
}
