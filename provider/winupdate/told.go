package winupdate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// maxSaid is how much is kept of why a repair did not help.
const maxSaid = 400

// failed is how the engine's last search ended that did not succeed.
type failed struct {
	Number uint32    `json:"number,omitempty"` // 0 where it has none
	Since  time.Time `json:"since"`            // of the first one since it last succeeded
	At     time.Time `json:"at"`
}

// searchFailed writes down a search that failed. Since when stays, whatever the number.
func (r *record) searchFailed(now time.Time, err error) {
	f := failed{Since: now.UTC(), At: now.UTC()}
	if r.Failed != nil {
		f.Since = r.Failed.Since
	}
	if list := numbers(err); len(list) > 0 {
		f.Number = list[0]
	}
	r.Failed = &f
}

// done is one act of repair and how it ended.
type done struct {
	At     time.Time          `json:"at"`
	Act    act                `json:"act"`
	Number uint32             `json:"number"`
	Try    int                `json:"try"`
	Result patch.RepairResult `json:"result"`
	Said   string             `json:"said,omitempty"`
}

// begin writes a repair down before its act: one that is cut off is seen.
func (r *record) begin() {
	t := r.Trouble
	all := append([]done{{At: r.Repaired, Act: t.Act, Number: t.Number, Try: t.Tries, Result: patch.RepairCut}}, r.Repairs...)
	r.Repairs = all[:min(len(all), patch.MaxRepairs)]
}

// end writes down how the repair that was begun last ended.
func (r *record) end(err error) {
	last := &r.Repairs[0]
	last.Result = patch.RepairWorked
	if err != nil {
		last.Result, last.Said = patch.RepairFailed, provider.Clip(strings.ReplaceAll(err.Error(), "\n", "; "), maxSaid)
	}
}

// told is what is wrong with the engine and what was done about it; nil when nothing is and
// nothing was.
func (r record) told(now time.Time) *patch.Repair {
	p := patch.Repair{Turn: r.turn()}
	for _, d := range r.Repairs {
		p.Done = append(p.Done, patch.RepairAct{At: d.At, Act: d.Act.words(), Code: number(d.Number), Try: d.Try, Result: d.Result, Said: d.Said})
	}
	t := r.Trouble
	switch {
	case r.Error != "":
		p.Search = true
		if p.Why = r.Error; r.Failed != nil {
			p.Since, p.At = moment(r.Failed.Since), moment(r.Failed.At)
			if n := r.Failed.Number; n != 0 {
				p.Code, p.Why, p.Next = number(n), meaning(n).why, meaning(n).next
			}
		}
	case t != nil:
		p.At, p.Code, p.Why, p.Next = moment(t.At), number(t.Number), meaning(t.Number).why, meaning(t.Number).next
	case len(p.Done) == 0:
		return nil
	}
	if t != nil && t.Search == p.Search && t.Act.done() && !t.Mended {
		p.Act, p.Tries, p.Most = t.Act.words(), t.Tries, maxRepairs
		if after := r.Repaired.Add(repairPause); p.Turn == patch.TurnPatchbay && !r.Repaired.IsZero() && !r.Repaired.After(now) {
			p.After = &after
		}
	}
	return &p
}

// turn says whose turn it is. What is tried again by itself needs nobody; what no act mends,
// or what three of them did not, needs a person.
func (r record) turn() patch.Turn {
	t := r.Trouble
	searching := r.Error != ""
	mending := t != nil && t.Search == searching && t.Act.done()
	switch {
	case !searching && t == nil:
		return patch.TurnNobody
	case mending && t.Mended:
		return patch.TurnRetry
	case mending && t.Tries < maxRepairs:
		return patch.TurnPatchbay
	case searching && !mending && r.Failed != nil && passes(r.Failed.Number):
		return patch.TurnRetry
	}
	return patch.TurnPerson
}

// passes reports whether a failure may be over by itself at the next try.
func passes(hresult uint32) bool {
	kind := meaning(hresult).kind
	return hresult != 0 && (errors.Is(kind, provider.ErrBusy) || errors.Is(kind, provider.ErrOffline))
}

func number(n uint32) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("0x%08X", n)
}

func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
