package api

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"patchbay/server/view"
)

// ListParams are what every list takes.
type ListParams struct {
	Q     string `query:"q" maxLength:"200" doc:"Text to look for"`
	After string `query:"after" maxLength:"2000" doc:"The next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// cursorText is what a cursor looks like inside. It carries no authority: the worst that
// a made-up one does is to begin elsewhere in the same list.
type cursorText struct {
	Sort string `json:"s"`
	Key  string `json:"k"`
	ID   string `json:"i"`
}

// filter turns the parameters into the beginning of a filter. The cursor must be of the
// same sort.
func (p ListParams) filter(sort string) (view.Filter, error) {
	f := view.Filter{Q: view.Fold(strings.TrimSpace(p.Q)), Sort: sort, Limit: p.Limit}
	if p.After == "" {
		return f, nil
	}
	var c cursorText
	b, err := base64.RawURLEncoding.DecodeString(p.After)
	if err != nil || json.Unmarshal(b, &c) != nil || c.Sort != sort || c.ID == "" {
		bad := problem(http.StatusUnprocessableEntity, "The place in the list is not one of this list: begin at the first page again.")
		bad.Errors = []ProblemField{{"query.after", "take next of the page before, with the same sort"}}
		return f, bad
	}
	f.After = view.Cursor{Key: c.Key, ID: c.ID}
	return f, nil
}

// page finishes a page for the client.
func page[T any](p view.Page[T], f view.Filter, now time.Time) *Out[view.Page[T]] {
	p.AsOf = now
	if p.Items == nil {
		p.Items = []T{}
	}
	if p.NextCursor != (view.Cursor{}) {
		b, err := json.Marshal(cursorText{f.Sort, p.NextCursor.Key, p.NextCursor.ID})
		if err == nil {
			p.Next = base64.RawURLEncoding.EncodeToString(b)
		}
	}
	return out(p)
}

// matches reports whether any of the texts has the query in it, as people compare.
func matches(q string, texts ...string) bool {
	if q == "" {
		return true
	}
	for _, t := range texts {
		if strings.Contains(view.Fold(t), q) {
			return true
		}
	}
	return false
}

// chosen keeps the rows that a condition holds for.
func chosen[T any](rows []T, keep func(T) bool) []T {
	kept := make([]T, 0, len(rows))
	for _, r := range rows {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return kept
}
