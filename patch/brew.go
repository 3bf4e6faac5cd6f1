package patch

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxBrew is the longest version that is looked at.
const maxBrew = 200

// compareBrew orders versions as Homebrew does: by turns of numbers and words, where alpha,
// beta, pre and rc stand before the end, and a revision after an underscore last. Apple's
// and other makers' versions on a Mac are read in the same way.
func compareBrew(a, b string) (int, error) {
	va, err := parseBrew(a)
	if err != nil {
		return 0, err
	}
	vb, err := parseBrew(b)
	if err != nil {
		return 0, err
	}
	if a != b && (va.fixed || vb.fixed) {
		return 0, fmt.Errorf("versions %.80q and %.80q have no order", a, b)
	}
	return cmp.Or(compareBrewTokens(va.tokens, vb.tokens), compareDigits(va.revision, vb.revision)), nil
}

// brewVersion is a version in its parts.
type brewVersion struct {
	tokens   []brewToken
	revision string
	fixed    bool // it says no more than that it is the newest, or a commit
}

func parseBrew(s string) (brewVersion, error) {
	var v brewVersion
	bad := func(why string) error { return fmt.Errorf("version %.80q: %w", s, errors.New(why)) }
	if len(s) > maxBrew {
		return v, bad("it is too long")
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return v, bad("it has characters that cannot be read")
	}
	v.fixed = s == "latest" || s == "HEAD" || strings.HasPrefix(s, "HEAD-")
	text := s
	if i := strings.LastIndexByte(s, '_'); i > 0 && i+1 < len(s) && strings.Trim(s[i+1:], "0123456789") == "" {
		text, v.revision = s[:i], strings.TrimLeft(s[i+1:], "0")
	}
	if v.tokens = brewTokens(text); len(v.tokens) == 0 {
		return v, bad("there is neither a number nor a word in it")
	}
	return v, nil
}

// brewKind is what a token is. Those before brewEnd stand before the end of a version.
type brewKind int

const (
	brewAlpha brewKind = iota
	brewBeta
	brewPre
	brewRC
	brewEnd
	brewWord
	brewPatch
	brewPost
	brewNumber
)

// brewToken is one number, or one word with the number that belongs to it.
type brewToken struct {
	kind brewKind
	text string // of a word, in small letters
	num  string // without leading zeros
}

// brewWords are the words that mean something, in the order in which they are tried. Those
// with one letter need a number to be meant so, but for p.
var brewWords = []struct {
	word   string
	number bool
	kind   brewKind
}{
	{"alpha", false, brewAlpha}, {"a", true, brewAlpha}, {"beta", false, brewBeta}, {"b", true, brewBeta},
	{"pre", false, brewPre}, {"rc", false, brewRC}, {"p", false, brewPatch}, {".post", true, brewPost},
}

func brewTokens(s string) []brewToken {
	s = strings.ToLower(s)
	var list []brewToken
next:
	for i := 0; i < len(s); {
		for _, w := range brewWords {
			if !strings.HasPrefix(s[i:], w.word) {
				continue
			}
			at := i + len(w.word)
			num, end := digits(s, at)
			if w.number && end == at {
				continue
			}
			list = append(list, brewToken{w.kind, s[i:end], num})
			i = end
			continue next
		}
		switch c := s[i]; {
		case isDigit(c):
			num, end := digits(s, i)
			list = append(list, brewToken{kind: brewNumber, num: num})
			i = end
		case 'a' <= c && c <= 'z':
			end := i
			for end < len(s) && 'a' <= s[end] && s[end] <= 'z' {
				end++
			}
			list = append(list, brewToken{kind: brewWord, text: s[i:end]})
			i = end
		default:
			i++
		}
	}
	return list
}

// compareDigits orders numbers without leading zeros, of any length.
func compareDigits(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

func (t brewToken) compare(o brewToken) int {
	switch {
	case t.kind == brewNumber && o.kind == brewEnd, t.kind == brewEnd && o.kind == brewNumber:
		return compareDigits(t.num, o.num) // a zero more or less says nothing
	case t.kind != o.kind:
		return cmp.Compare(t.kind, o.kind)
	case t.kind == brewWord:
		return cmp.Compare(t.text, o.text)
	}
	return compareDigits(t.num, o.num)
}

func compareBrewTokens(a, b []brewToken) int {
	at := func(list []brewToken, i int) brewToken {
		if i < len(list) {
			return list[i]
		}
		return brewToken{kind: brewEnd}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		x, y := at(a, i), at(b, j)
		number, other := x.kind == brewNumber, y.kind == brewNumber
		switch c := x.compare(y); {
		case c == 0:
			i, j = i+1, j+1
		case number && !other && x.num == "":
			i++ // 1.0a is 1a
		case !number && other && y.num == "":
			j++
		default:
			return c
		}
	}
	return 0
}
