package patch

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The order of winget, from its version 1.9 on. Windows programs call their versions whatever
// they like, so nearly every text is a version: parts between dots, each a number and what
// follows it. Parts that say nothing at the end do not count, and the shorter of two versions
// is filled up with such parts, so 1.0-rc is before 1.

// wingetVersion is a version in its parts.
type wingetVersion struct {
	rank   int // of the words that are beyond all numbers
	parts  []wingetPart
	approx int // -1 is somewhat less than the parts, 1 somewhat more
}

// wingetPart is what stands between two dots.
type wingetPart struct {
	number uint64
	text   string // without regard to case
}

func compareWinget(a, b string) (int, error) {
	va, err := parseWinget(a)
	if err != nil {
		return 0, err
	}
	vb, err := parseWinget(b)
	if err != nil {
		return 0, err
	}
	return va.compare(vb), nil
}

func (v wingetVersion) compare(o wingetVersion) int {
	if c := cmp.Compare(v.rank, o.rank); c != 0 {
		return c
	}
	for i := range max(len(v.parts), len(o.parts)) {
		if c := v.part(i).compare(o.part(i)); c != 0 {
			return c
		}
	}
	return cmp.Compare(v.approx, o.approx)
}

// part is the part at i, an empty one behind the last.
func (v wingetVersion) part(i int) wingetPart {
	if i < len(v.parts) {
		return v.parts[i]
	}
	return wingetPart{}
}

// compare puts a number alone behind the same number with a text.
func (p wingetPart) compare(o wingetPart) int {
	if c := cmp.Compare(p.number, o.number); c != 0 {
		return c
	}
	if p.text == "" || o.text == "" {
		return cmp.Compare(len(o.text), len(p.text))
	}
	return strings.Compare(p.text, o.text)
}

// space is what C takes for white space.
const space = " \t\n\v\f\r"

func parseWinget(s string) (wingetVersion, error) {
	v, err := splitWinget(strings.Trim(s, space))
	if err != nil {
		return wingetVersion{}, fmt.Errorf("version %.80q: %w", s, err)
	}
	return v, nil
}

func splitWinget(s string) (wingetVersion, error) {
	var v wingetVersion
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return v, errors.New("it is not text")
	}
	if base, ok := strings.CutPrefix(s, "< "); ok {
		v.approx, s = -1, base
	} else if base, ok := strings.CutPrefix(s, "> "); ok {
		v.approx, s = 1, base
	}
	digit, dot := strings.IndexAny(s, "0123456789"), strings.IndexByte(s, '.')
	if digit >= 0 && (dot < 0 || digit < dot) {
		s = s[digit:]
	}
	for part := range strings.SplitSeq(s, ".") {
		v.parts = append(v.parts, parseWingetPart(strings.Trim(part, space)))
	}
	for n := len(v.parts); n > 0 && v.parts[n-1] == (wingetPart{}); n-- {
		v.parts = v.parts[:n-1]
	}
	if len(v.parts) == 1 && v.parts[0].number == 0 {
		switch v.parts[0].text {
		case "latest":
			v.rank = 1
		case "unknown":
			v.rank = -1
		}
	}
	if v.rank < 0 && v.approx != 0 {
		return v, errors.New("nothing is somewhat more or less than an unknown version")
	}
	return v, nil
}

// parseWingetPart reads a part as C's strtoull does: a sign may stand before the number, and
// a minus counts down from the greatest number. One that is too great is only text.
func parseWingetPart(s string) wingetPart {
	negative := strings.HasPrefix(s, "-")
	begin := 0
	if negative || strings.HasPrefix(s, "+") {
		begin = 1
	}
	end := begin
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	if end == begin {
		return wingetPart{0, FoldCase(s)}
	}
	n, err := strconv.ParseUint(s[begin:end], 10, 64)
	if err != nil {
		return wingetPart{0, FoldCase(s)}
	}
	if negative {
		n = -n
	}
	return wingetPart{n, FoldCase(s[end:])}
}

// FoldCase takes the case from a text as Unicode folds it, so that also the order of what is
// left is winget's. Greek, Armenian and Cherokee letters fold one by one.
func FoldCase(s string) string {
	var b strings.Builder
	for i, r := range s {
		folded, long := foldRune(r), foldsLong[r]
		if b.Len() == 0 && folded == r && long == "" {
			continue // nothing to change so far
		}
		if b.Len() == 0 {
			b.WriteString(s[:i])
		}
		if long != "" {
			b.WriteString(long)
		} else {
			b.WriteRune(folded)
		}
	}
	if b.Len() == 0 {
		return s
	}
	return b.String()
}

// foldRune goes by way of the capital, which several small letters may share.
func foldRune(r rune) rune {
	if r == 'ı' { // its capital is that of i
		return r
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

// foldsLong are Latin letters that fold to several.
var foldsLong = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'İ': "i\u0307", 'ŉ': "ʼn", 'ǰ': "j\u030c", 'ẖ': "h\u0331", 'ẗ': "t\u0308", 'ẘ': "w\u030a",
	'ẙ': "y\u030a", 'ẚ': "aʾ", 'ﬀ': "ff", 'ﬁ': "fi", 'ﬂ': "fl", 'ﬃ': "ffi", 'ﬄ': "ffl", 'ﬅ': "st", 'ﬆ': "st",
}
