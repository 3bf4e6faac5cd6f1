package sign

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ascii puts text of a document in quotes, with everything but plain ASCII written as its
// number: names, versions and origins, where a letter that only looks like another would
// mislead. Beyond most characters it is cut, 0 cuts nothing.
func ascii(s string, most int) string { return strconv.QuoteToASCII(cut(s, most)) }

// quoted puts text that people write in quotes. Letters of all scripts stay; what moves the
// cursor, changes the direction of writing, joins another sign or is not seen is written as
// its number.
func quoted(s string) string {
	var b strings.Builder
	for _, r := range strconv.Quote(s) {
		if r < unicode.MaxASCII || !invisible(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
	}
	return b.String()
}

// invisible reports whether a sign, though letters and symbols by their class, may be empty
// or hang on the one before.
func invisible(r rune) bool {
	const blanks = "\u115f\u1160\u2800\u3164\uffa0\ufffd" // fillers, an empty Braille cell
	return !unicode.IsPrint(r) || unicode.IsMark(r) || strings.ContainsRune(blanks, r)
}

// bare is text within a sentence, such as another package's error, in ASCII.
func bare(s string, most int) string { return strings.Trim(ascii(s, most), `"`) }

func cut(s string, most int) string {
	if r := []rune(s); most > 0 && len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// columns is what the narrowest terminal shows in a line.
const columns = 79

// fold writes a line as several, so that the terminal does not fold it: text of a document
// would then stand at the left margin and could pass for a line of ours.
func fold(b *strings.Builder, line string) {
	const deeper = "                "
	width, space, from := 0, 0, 0
	for i, r := range line {
		if r == ' ' {
			space = i
		}
		width++
		if r >= 0x1100 { // it may take two columns
			width++
		}
		if width <= columns {
			continue
		}
		cut := space
		if strings.TrimSpace(line[from:space+1]) == "" || space <= from {
			cut = i
		}
		b.WriteString(line[from:cut] + "\n" + deeper)
		from = cut
		if line[from] == ' ' {
			from++
		}
		width = len(deeper) + utf8.RuneCountInString(line[from:i]) + 2
		space = from
	}
	b.WriteString(line[from:] + "\n")
}

// moment writes a time with what it is from now.
func moment(at, now time.Time) string {
	return at.UTC().Format("2006-01-02 15:04:05 UTC") + " (" + distance(at.Sub(now)) + ")"
}

func distance(d time.Duration) string {
	word := "in %s"
	if d < 0 {
		word, d = "%s ago", -d
	}
	switch {
	case d < time.Minute:
		return "now"
	case d < 2*time.Hour:
		return fmt.Sprintf(word, fmt.Sprintf("%d minutes", d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf(word, fmt.Sprintf("%d hours", d/time.Hour))
	}
	return fmt.Sprintf(word, fmt.Sprintf("%d days", d/(24*time.Hour)))
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// count says how many, with the word in singular or plural.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
