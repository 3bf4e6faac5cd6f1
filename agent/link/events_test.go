package link

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestEventsAreReadInOrder(t *testing.T) {
	var got []string
	err := events(strings.NewReader(": open\n\nevent: checkin\ndata: now\n\n:\n\nevent:other\n\n\n"), func(e string) { got = append(got, e) })
	if want := []string{"", "checkin", "", "other"}; err != io.EOF || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

// A stream may be anything; it ends with an error and no line is kept beyond its bound.
func FuzzEvents(f *testing.F) {
	f.Add("event: checkin\n\n")
	f.Add(strings.Repeat("x", lineMost+1))
	f.Fuzz(func(t *testing.T, text string) {
		if events(strings.NewReader(text), func(string) {}) == nil {
			t.Error("a stream that ended is no error")
		}
	})
}
