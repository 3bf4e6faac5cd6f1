package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"patchbay/server/catalog/kinds"
	"patchbay/server/store"
	"patchbay/server/surveyor"
	"patchbay/server/view"
	"patchbay/wire"
)

// Surveys goes through the feeds for a product.
type Surveys interface {
	// Ask says how it stands, and has it begun where there is none that is young.
	Ask(name string, names ...string) surveyor.State
}

// ProductPath names a product as people do.
type ProductPath struct {
	Product string `path:"product" maxLength:"100"`
}

// recordJobs is how many of the newest jobs of a product are looked at for how they went.
const recordJobs = 200

func (s *Server) product(ctx context.Context, in *ProductPath) (*Out[view.Product], error) {
	name := view.Fold(strings.TrimSpace(in.Product))
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || hides(r) }) {
		return nil, problem(http.StatusNotFound, "This is no name of a product.")
	}
	v, ok := s.Ends.Product(name, s.Now())
	if !ok {
		v = view.Product{Name: name, Title: strings.TrimSpace(in.Product), Support: "endoflife.date knows no product of this name, or does not hold here: for how long it is supported is not known."}
	}
	v.Survey = surveyView(s.Surveys.Ask(v.Name, v.Name, v.Title, name))
	record, err := s.productRecord(ctx, v.Name, v.Title, name)
	v.Own = record
	return out(v), err
}

// productRecord is how jobs of items of these names went here.
func (s *Server) productRecord(ctx context.Context, names ...string) (view.ProductRecord, error) {
	r := view.ProductRecord{Most: recordJobs}
	jobs, err := s.Store.MSP(who(ctx)).Jobs(ctx, store.JobFilter{Limit: newestJobs})
	if err != nil {
		return r, err
	}
	for _, j := range jobs {
		if j.EndedAt == nil || j.WithdrawnAt != nil || j.Verb != wire.VerbInstall || !calledSo(j, names) {
			continue
		}
		if r.Jobs++; r.Jobs > recordJobs {
			r.Jobs--
			break
		}
		if j.Step == wire.StepFailed {
			r.Failed++
		}
		told, err := s.Store.MSP(who(ctx)).Outcomes(ctx, store.OutcomeFilter{Job: j.ID})
		if err != nil {
			return r, err
		}
		if slices.ContainsFunc(told, func(o store.OutcomeRow) bool { return o.Step == wire.StepRebooting && o.Result == wire.ResultOK }) {
			r.Rebooted++
		}
	}
	return r, nil
}

// calledSo reports whether a job is of an item of one of the names, with a version behind it or
// without.
func calledSo(j store.Job, names []string) bool {
	for _, called := range []string{j.Target.Name, j.Target.Source} {
		called = view.Fold(called)
		for _, n := range names {
			n = view.Fold(n)
			if rest, ok := strings.CutPrefix(called, n); n != "" && ok && strings.Trim(rest, "-. 0123456789") == "" {
				return true
			}
		}
	}
	return false
}

// words of whose word a kind of feed is.
func whoseWord(kind string) string {
	switch kind {
	case kinds.NVD:
		return "NVD's records of CVEs, by the name of the product"
	case kinds.CSAF:
		return "its vendor's own documents"
	case kinds.Debian:
		return "Debian's security team, for its own package"
	}
	return "a distribution's or publisher's own advisories"
}

func surveyView(st surveyor.State) view.ProductSurvey {
	f := st.Survey
	v := view.ProductSurvey{Done: st.Done, At: momentOf(st.At), Feed: st.Feed, Read: st.Read, Of: st.Of, Trouble: st.Trouble, Undated: f.Undated, Packages: f.Packages, CVEs: f.CVEs, Cut: f.Cut,
		Speed: view.ProductSpeed(f.Speed)}
	for _, y := range f.Years {
		v.Years = append(v.Years, view.ProductYear(y))
	}
	for _, h := range f.Feeds {
		v.Sources = append(v.Sources, view.ProductFeed{Feed: h.Feed, Who: whoseWord(h.Kind), Advisories: h.Advisories, First: momentOf(h.First), Last: momentOf(h.Last)})
	}
	for _, e := range f.Used {
		v.Used = append(v.Used, view.ProductUsed{CVE: e.ID, Title: e.Title, Added: e.Added, Ransomware: e.Ransomware == "yes"})
	}
	return v
}
