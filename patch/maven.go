package patch

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// mavenItem is one part of a version as Maven sorts it: a number, a word, or a list of parts
// behind a hyphen or a change between digits and letters.
type mavenItem struct {
	kind   mavenKind
	number string // without leading zeros; "" is 0
	word   string
	list   []*mavenItem
}

type mavenKind int

const (
	mavenWord mavenKind = iota
	mavenList
	mavenNumber
)

// mavenWords are the words that Maven knows, in its order; "" is the release itself, and all
// other words are after them.
var mavenWords = []string{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"}

// compareMaven orders versions as Maven itself does, from its version 3.8.7 on: not as the text
// on its order has it, which says less.
func compareMaven(a, b string) (int, error) {
	if err := checkForeign(a, b); err != nil {
		return 0, err
	}
	return parseMaven(a).compare(parseMaven(b)), nil
}

// parseMaven cuts a version at dots, at hyphens, and where digits and letters meet.
func parseMaven(s string) *mavenItem {
	s = strings.ToLower(s)
	top := &mavenItem{kind: mavenList}
	lists := []*mavenItem{top}
	at := func() *mavenItem { return lists[len(lists)-1] }
	add := func(it *mavenItem) { at().list = append(at().list, it) }
	open := func() {
		inner := &mavenItem{kind: mavenList}
		add(inner)
		lists = append(lists, inner)
	}
	word := func(text string, digitFollows bool) { // .x counts as -x
		if len(at().list) > 0 {
			open()
		}
		add(newMavenWord(text, digitFollows))
	}
	start, inNumber := 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' || c == '-':
			add(mavenPart(s[start:i], inNumber))
			start = i + 1
			if c == '-' {
				open()
			}
		case isDigit(c):
			if !inNumber && i > start {
				word(s[start:i], true)
				start = i
				open()
			}
			inNumber = true
		default:
			if inNumber && i > start {
				add(mavenPart(s[start:i], true))
				start = i
				open()
			}
			inNumber = false
		}
	}
	switch rest := s[start:]; {
	case rest == "":
	case inNumber:
		add(mavenPart(rest, true))
	default:
		word(rest, false)
	}
	for _, l := range slices.Backward(lists) {
		l.trim()
	}
	return top
}

// mavenPart is what stands between two separators; nothing there is 0.
func mavenPart(text string, number bool) *mavenItem {
	if number || text == "" {
		return &mavenItem{kind: mavenNumber, number: strings.TrimLeft(text, "0")}
	}
	return newMavenWord(text, false)
}

func newMavenWord(text string, digitFollows bool) *mavenItem {
	switch {
	case digitFollows && text == "a":
		text = "alpha"
	case digitFollows && text == "b":
		text = "beta"
	case digitFollows && text == "m":
		text = "milestone"
	case text == "ga", text == "final", text == "release":
		text = ""
	case text == "cr":
		text = "rc"
	}
	return &mavenItem{kind: mavenWord, word: text}
}

// trim takes away what says nothing before a list or at the end.
func (m *mavenItem) trim() {
	for i, it := range slices.Backward(m.list) {
		if it.empty() {
			m.list = slices.Delete(m.list, i, i+1)
		} else if it.kind != mavenList {
			return
		}
	}
}

func (m *mavenItem) empty() bool { return m.number == "" && m.word == "" && len(m.list) == 0 }

// compare orders two parts; nil is a part that is not there.
func (m *mavenItem) compare(o *mavenItem) int {
	switch {
	case o == nil:
		return m.beside()
	case m.kind != o.kind:
		return cmp.Compare(m.kind, o.kind) // a word, a list, a number
	case m.kind == mavenNumber:
		return cmp.Or(cmp.Compare(len(m.number), len(o.number)), cmp.Compare(m.number, o.number))
	case m.kind == mavenWord:
		return cmp.Compare(mavenRank(m.word), mavenRank(o.word))
	}
	for i := range max(len(m.list), len(o.list)) {
		c := 0
		switch {
		case i >= len(m.list):
			c = -o.list[i].beside()
		case i >= len(o.list):
			c = m.list[i].beside()
		default:
			c = m.list[i].compare(o.list[i])
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// beside orders a part and nothing.
func (m *mavenItem) beside() int {
	switch m.kind {
	case mavenNumber:
		return min(1, len(m.number))
	case mavenWord:
		return cmp.Compare(mavenRank(m.word), mavenRank(""))
	}
	for _, it := range m.list {
		if c := it.beside(); c != 0 {
			return c
		}
	}
	return 0
}

// mavenRank is what words are sorted by: those that are known by their place.
func mavenRank(word string) string {
	if i := slices.Index(mavenWords, word); i >= 0 {
		return strconv.Itoa(i)
	}
	return strconv.Itoa(len(mavenWords)) + "-" + word
}
