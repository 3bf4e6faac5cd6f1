package view

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter is what a list is asked for. An empty field does not filter.
type Filter struct {
	Customer string
	Site     string
	Device   string
	Update   string // of needs: the update's ID
	Mends    string // of needs: a CVE that what is on offer mends
	Program  string // of devices: a package of the catalogue, as provider/ID
	Role     string // of devices: one that they have
	Group    string // of devices: the ID of one that they are in
	Verdict  string // of needs: a verdict's name
	State    string // of needs: a verdict.State; of devices: talking, silent, never_scanned, not_back, observe; of updates: the state of any of its needs
	Class    string // a patch.Class
	Q        string // folded text to look for in names; hostile text is only ever compared
	Sort     string // a field of the list, with "-" in front for descending; checked before it comes here
	After    Cursor // where the last page ended
	Limit    int    // 0 is no limit
}

// Field takes the sort apart. When none is asked for it is the one given.
func (f Filter) Field(otherwise string) (field string, descending bool) {
	field, descending = strings.CutPrefix(cmp.Or(f.Sort, otherwise), "-")
	return field, descending
}

// Cursor is the place of the last row of a page in its order: the row's sort key and, since
// keys repeat, its ID. The zero Cursor is the beginning. The API turns it into the opaque
// text a client sees and checks what comes back.
type Cursor struct {
	Key string
	ID  string
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T       `json:"items"`
	Total int       `json:"total" doc:"Rows that match, on all pages"`
	Next  string    `json:"next" doc:"Give it as after to get the next page; empty on the last"`
	AsOf  time.Time `json:"as_of"`
	// NextCursor is set by whoever made the page; the API writes Next from it.
	NextCursor Cursor `json:"-"`
}

// Paginate orders rows that match by the key of the sort, then by ID, and cuts the page
// out. Keys compare as text: make numbers with Number and times with Moment. It sorts rows
// in place.
func Paginate[T any](rows []T, f Filter, descending bool, key, id func(T) string) Page[T] {
	compare := func(ak, aid, bk, bid string) int {
		c := strings.Compare(ak, bk)
		if descending {
			c = -c
		}
		return cmp.Or(c, strings.Compare(aid, bid))
	}
	slices.SortFunc(rows, func(a, b T) int { return compare(key(a), id(a), key(b), id(b)) })
	page := Page[T]{Items: []T{}, Total: len(rows)}
	start := 0
	if f.After != (Cursor{}) {
		start, _ = slices.BinarySearchFunc(rows, f.After, func(row T, c Cursor) int {
			if compare(key(row), id(row), c.Key, c.ID) <= 0 {
				return -1
			}
			return 1
		})
	}
	rows = rows[start:]
	if f.Limit > 0 && len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		page.NextCursor = Cursor{key(last), id(last)}
	}
	page.Items = append(page.Items, rows...)
	return page
}

// Fold makes text comparable for sorting and searching by people.
func Fold(s string) string { return strings.ToLower(s) }

// Number makes a count a sort key.
func Number[N ~int | ~int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	return "00000000000000000000"[:20-len(digits)] + digits
}

// Moment makes a time a sort key; nil is the earliest.
func Moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return Number(t.UnixMilli())
}
