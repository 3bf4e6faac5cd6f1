package sign

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
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
	indent, rest := "", []rune(line)
	for {
		n := fitting(rest, columns-len(indent))
		if n == len(rest) {
			b.WriteString(indent + string(rest) + "\n")
			return
		}
		if at := lastSpace(rest[:n+1]); at > 0 {
			n = at
		}
		b.WriteString(indent + string(rest[:n]) + "\n")
		if rest = rest[n:]; rest[0] == ' ' {
			rest = rest[1:]
		}
		indent = deeper
	}
}

// fitting is how many of the runes fit into a width: at least one.
func fitting(runes []rune, width int) int {
	for i, r := range runes {
		width--
		if r >= 0x1100 { // it may take two columns
			width--
		}
		if width < 0 {
			return max(i, 1)
		}
	}
	return len(runes)
}

// lastSpace is where the last space is that has more than spaces before it, 0 when none has.
func lastSpace(runes []rune) int {
	for i := len(runes) - 1; i > 0; i-- {
		if runes[i] == ' ' && strings.TrimSpace(string(runes[:i])) != "" {
			return i
		}
	}
	return 0
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
