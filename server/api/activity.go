package api

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"strings"

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
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	var views []view.Activity
	for _, row := range rows {
		v := s.activityView(row, names)
		if matches(f.Q, v.Sentence, v.Actor.Name, v.Act, v.Object, v.ChainName) {
			views = append(views, v)
		}
	}
	p := view.Paginate(views, f, true, func(v view.Activity) string { return view.Moment(&v.At) + view.Number(v.Seq) },
		func(v view.Activity) string { return v.Chain })
	return page(p, f, s.Now()), nil
}

func (s *Server) activityView(row store.AuditRow, names names) view.Activity {
	v := view.Activity{
		Chain: row.Chain, ChainName: chainName(row.Chain, names), Seq: row.Seq, At: row.At,
		Actor: view.Ref{ID: row.Actor, Name: row.ActorName}, Act: row.Act, Object: row.Object,
		Device: row.Device, Hash: row.Hash, Payload: row.Payload,
	}
	of := s.objectName(row, names)
	v.Sentence = fmt.Sprintf("%s: %s", row.ActorName, strings.ToLower(actTitle(row.Act)[:1])+actTitle(row.Act)[1:])
	if of != "" {
		v.Sentence += " (" + of + ")"
	}
	return v
}

func chainName(chain string, names names) string {
	if chain == mspChain {
		return "MSP"
	}
	return names.customers[chain]
}

// objectName calls what an act is about by its name where it has one.
func (s *Server) objectName(row store.AuditRow, names names) string {
	id := row.Object
	if row.Device != "" {
		id = row.Device
	}
	if d, ok := s.Fleet.Device(s.Now(), id); ok {
		return d.Name
	}
	for _, m := range []map[string]string{names.customers, names.sites, names.persons} {
		if name, ok := m[id]; ok {
			return name
		}
	}
	return ""
}

// actTitle says an act in words: "approval.create" is "Create approval".
func actTitle(act string) string {
	noun, verb, ok := strings.Cut(act, ".")
	words := strings.ReplaceAll(noun, "_", " ")
	if ok {
		words = strings.ReplaceAll(verb, "_", " ") + " " + words
	}
	if words == "" {
		return "Act"
	}
	return strings.ToUpper(words[:1]) + words[1:]
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

// publicKey reads a key as the store keeps it.
func publicKey(der []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("reading a public key: %w", err)
	}
	return key, nil
}
