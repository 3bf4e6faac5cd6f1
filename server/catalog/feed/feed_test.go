package feed_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"patchbay/server/catalog/feed"
)

// read gives the records of a text.
func read(s feed.Shape, in io.Reader) (list []string, err error) {
	err = feed.Records(in, s, func(n int, text json.RawMessage) error {
		if n != len(list)+1 {
			return fmt.Errorf("record %d is counted as %d", len(list)+1, n)
		}
		list = append(list, string(text))
		return nil
	})
	return list, err
}

func TestDocumentsOfAllShapesGiveTheirRecords(t *testing.T) {
	list := feed.Shape{List: "all", Most: 1000}
	both := feed.Shape{List: "all", Whole: true, Most: 1000}
	each := feed.Shape{Most: 1000}
	for _, c := range []struct {
		shape    feed.Shape
		in, want string
	}{
		{list, `{"a":1,"all":[{"x":1},{"x":2}],"b":[3]}`, `{"x":1} {"x":2}`},
		{list, "{\"all\":[1]}\n{\"all\":[2]}\n", `1 2`},
		{list, "\xef\xbb\xbf{\"all\":[]}", ``},
		{both, "{\"id\":\"a\\\"\",\"n\":[1]}\n{\"all\":[2]}", `{"id":"a\"","n":[1]} 2`},
		{each, "{\"id\":1}\n{\"id\":2}\n\n", `{"id":1} {"id":2}`},
		{each, ` [ {"id":1}, 2 ] `, `{"id":1} 2`},
	} {
		got, err := read(c.shape, strings.NewReader(c.in))
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s gives %q, %v; want %s", c.in, got, err, c.want)
		}
	}
}

// A document that is cut off at any place is an error, whatever was read of it.
func TestWhatBreaksOffIsAnError(t *testing.T) {
	for _, c := range []struct {
		shape feed.Shape
		in    string
	}{
		{feed.Shape{List: "all", Most: 1000}, `{"a":{"b":[1]},"all":[{"x":"y"},{"x":2}],"z":"end"}`},
		{feed.Shape{Most: 1000}, `[{"x":"y"},{"x":2}]`},
		{feed.Shape{Most: 1000}, `{"x":"y","z":[1,2]}`},
	} {
		for n := range len(c.in) {
			if got, err := read(c.shape, strings.NewReader(c.in[:n])); err == nil {
				t.Errorf("%s gives %q and no error", c.in[:n], got)
			}
		}
	}
}

func TestWhatIsNoDocumentIsAnError(t *testing.T) {
	for _, in := range []string{"", " \n", `{"other":[1]}`, `{"all":{"x":1}}`, `{"all":null}`, `{"all":[1],"all":[2]}`, `7`, `<html>`, `{"all":[1]}]`} {
		if got, err := read(feed.Shape{List: "all", Most: 1000}, strings.NewReader(in)); err == nil {
			t.Errorf("%q gives %q and no error", in, got)
		}
	}
}

// endless gives a text, then one letter for ever.
type endless struct {
	head   string
	letter byte
	read   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.head)
	e.head = e.head[n:]
	for i := n; i < len(p); i++ {
		p[i] = e.letter
	}
	e.read += len(p)
	return len(p), nil
}

func TestBombsAreStoppedSoon(t *testing.T) {
	const most = 1 << 20
	for _, head := range []string{"", `{"all":[`, `{"all":["`, `{"x":"`, `[`, `[{"`, `{"`} {
		for _, letter := range []byte{' ', 'a', '[', '{'} {
			for _, s := range []feed.Shape{{Most: most}, {List: "all", Most: most}, {List: "all", Whole: true, Most: most}} {
				in := &endless{head: head, letter: letter}
				if _, err := read(s, in); err == nil || in.read > 8*most {
					t.Errorf("%q and %q for ever in %q: %v after %d bytes", head, letter, s.List, err, in.read)
				}
			}
		}
	}
}

func TestALargeRecordIsAnErrorAndManySmallOnesAreNot(t *testing.T) {
	s := feed.Shape{List: "all", Most: 100_000}
	if _, err := read(s, strings.NewReader(`{"all":["`+strings.Repeat("a", 200_000)+`"]}`)); !errors.Is(err, feed.ErrTooLarge) {
		t.Errorf("a record of twice the bytes: %v", err)
	}
	many := `{"all":[` + strings.Repeat(`"`+strings.Repeat("a", 1000)+`",`, 2000) + `1]}`
	if list, err := read(s, strings.NewReader(many)); err != nil || len(list) != 2001 {
		t.Errorf("%d records, %v", len(list), err)
	}
}

func TestTheYearOneIsNoDate(t *testing.T) {
	for _, s := range []string{"", "0001-01-01"} {
		if d, err := feed.Day(s); err != nil || !d.IsZero() {
			t.Errorf("day %q is %v, %v", s, d, err)
		}
	}
	for _, s := range []string{"", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00"} {
		if d, err := feed.Moment(s); err != nil || !d.IsZero() {
			t.Errorf("moment %q is %v, %v", s, d, err)
		}
	}
}

func TestMomentsAsFeedsWriteThem(t *testing.T) {
	for in, want := range map[string]string{
		"2026-08-07T16:45:47.0648Z":        "2026-08-07 16:45:47.0648 +0000 UTC",
		"2022-04-17T00:00:00+0000":         "2022-04-17 00:00:00 +0000 UTC",
		"2026-08-07T00:00:00.000":          "2026-08-07 00:00:00 +0000 UTC",
		"2025-01-14T00:00:00":              "2025-01-14 00:00:00 +0000 UTC",
		"2023-07-24 14:58:05.562874+00:00": "2023-07-24 14:58:05.562874 +0000 UTC",
		"2026-08-04T05:02:37+02:00":        "2026-08-04 03:02:37 +0000 UTC",
		"2026-08-04":                       "2026-08-04 00:00:00 +0000 UTC",
		" 2026-08-04T05:02:37.5+00:00 ":    "2026-08-04 05:02:37.5 +0000 UTC",
	} {
		if got, err := feed.Moment(in); err != nil || got.String() != want {
			t.Errorf("%q is %v, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"yesterday", "2026-13-01", "2026-02-30T00:00:00Z"} {
		if got, err := feed.Moment(in); err == nil {
			t.Errorf("%q is %v", in, got)
		}
	}
}

func TestRefusalsAreAllCountedAndSomeTold(t *testing.T) {
	var r feed.Report
	for n := range 1000 {
		r.Refuse("KEV", n, "CVE-\x1b[31m-1", errors.New("it is odd"))
	}
	if r.Refused != 1000 || len(r.Why) != 20 || r.Why[1] != `KEV record 1 ("CVE-[31m-1"): it is odd` {
		t.Errorf("%d refused, %d told, such as %q", r.Refused, len(r.Why), r.Why[1])
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(`{"a":1,"all":[{"x":1},{"x":2}],"b":[3]}`)
	f.Add("{\"id\":1}\n[2]\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, s := range []feed.Shape{{Most: 200}, {List: "all", Most: 200}, {List: "all", Whole: true, Most: 200}} {
			list, _ := read(s, strings.NewReader(in))
			for _, text := range list {
				if !json.Valid([]byte(text)) {
					t.Fatalf("%q gives the record %q", in, text)
				}
			}
		}
	})
}
