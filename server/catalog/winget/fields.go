package winget

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bounds of one file.
const (
	MaxFile  = 1 << 20 // bytes
	maxDepth = 16      // of lists in lists
	maxNodes = 200_000 // single things that are said
	maxText  = 4 << 10 // bytes of one text that is taken up; longer ones are refused
)

// Refusal says why a file is not taken.
type Refusal struct {
	File   string
	Line   int // 0 where it is about the whole file
	Reason string
}

// Error says it in one line.
func (r *Refusal) Error() string {
	if r.Line == 0 {
		return r.File + ": " + r.Reason
	}
	return fmt.Sprintf("%s:%d: %s", r.File, r.Line, r.Reason)
}

// fields are the fields of one mapping. The first thing that is wrong with any of them is
// kept; what is read after that is nothing.
type fields struct {
	file  string
	line  int
	by    map[string]*yaml.Node
	wrong *Refusal // shared by all fields of a file
}

// readFields takes one document apart, whose size and depth are bounded.
func readFields(file string, data []byte) (fields, *Refusal) {
	if len(data) > MaxFile {
		return fields{}, &Refusal{file, 0, fmt.Sprintf("it has more than %d bytes", MaxFile)}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fields{}, refusalOf(file, err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return fields{}, &Refusal{file, max(doc.Line, 1), "it is not a list of fields"}
	}
	left := maxNodes
	if bad := tooMuch(&doc, maxDepth, &left); bad != nil {
		return fields{}, &Refusal{file, bad.Line, "it refers to itself, or is too deep or too large"}
	}
	f := fields{file: file, wrong: &Refusal{}}
	f = f.of(doc.Content[0])
	return f, f.failure()
}

var atLine = regexp.MustCompile(`line (\d+): (.*)`)

// refusalOf gives an error of the YAML reader its line.
func refusalOf(file string, err error) *Refusal {
	r := &Refusal{file, 0, "it is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := atLine.FindStringSubmatch(err.Error()); m != nil {
		r.Line, _ = strconv.Atoi(m[1]) // digits alone
		r.Reason = "it is not YAML: " + m[2]
	}
	r.Reason = cut(r.Reason)
	return r
}

// cut bounds what is repeated of a file.
func cut(s string) string {
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// tooMuch finds what is beyond the bounds. What is referred to counts wherever it is: a few
// lines of references can stand for gigabytes, or for themselves.
func tooMuch(n *yaml.Node, depth int, left *int) *yaml.Node {
	*left--
	if depth < 0 || *left < 0 {
		return n
	}
	for _, c := range meant(n).Content {
		if bad := tooMuch(c, depth-1, left); bad != nil {
			return bad
		}
	}
	return nil
}

// meant is the node itself, or the one that it refers to.
func meant(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// failure is what was wrong, nil for nothing.
func (f fields) failure() *Refusal {
	if f.wrong.Reason == "" {
		return nil
	}
	return f.wrong
}

func (f fields) fail(line int, format string, args ...any) {
	if f.wrong.Reason == "" {
		*f.wrong = Refusal{f.file, line, cut(fmt.Sprintf(format, args...))}
	}
}

// of reads a mapping.
func (f fields) of(n *yaml.Node) fields {
	n = meant(n)
	g := fields{file: f.file, line: n.Line, by: map[string]*yaml.Node{}, wrong: f.wrong}
	if n.Kind != yaml.MappingNode {
		g.fail(n.Line, "a list of fields is expected here")
		return g
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], meant(n.Content[i+1])
		if _, twice := g.by[key.Value]; twice {
			g.fail(key.Line, "%.60q is said twice", key.Value)
		}
		if value.Tag != "!!null" {
			g.by[key.Value] = value
		}
	}
	return g
}

// lineOf is where a field stands, or the beginning of what it is missing from.
func (f fields) lineOf(key string) int {
	if n := f.by[key]; n != nil {
		return n.Line
	}
	return f.line
}

func (f fields) has(key string) bool { return f.by[key] != nil }

// text reads a field of text; numbers and dates are text as they are written.
func (f fields) text(key string) string {
	n := f.by[key]
	switch {
	case n == nil:
		return ""
	case n.Kind != yaml.ScalarNode:
		f.fail(n.Line, "%s is not a text", key)
		return ""
	case len(n.Value) > maxText:
		f.fail(n.Line, "%s has more than %d bytes", key, maxText)
		return ""
	case strings.ContainsRune(n.Value, 0):
		f.fail(n.Line, "%s has a zero byte", key)
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// into overwrites what is said.
func (f fields) into(to *string, key string) {
	if f.has(key) {
		*to = f.text(key)
	}
}

// one reads a field that has one of a few values, without regard to case.
func (f fields) one(to *string, key string, values ...string) {
	if !f.has(key) {
		return
	}
	got := f.text(key)
	for _, v := range values {
		if strings.EqualFold(got, v) {
			*to = v
			return
		}
	}
	f.fail(f.lineOf(key), "%s is %.60q; known are: %s", key, got, strings.Join(values, ", "))
}

func (f fields) yes(to *bool, key string) {
	switch v := strings.ToLower(f.text(key)); {
	case !f.has(key):
	case v == "true" || v == "false":
		*to = v == "true"
	default:
		f.fail(f.lineOf(key), "%s is neither true nor false", key)
	}
}

// items are the nodes of a list, of at most n.
func (f fields) items(key string, n int) []*yaml.Node {
	list := f.by[key]
	switch {
	case list == nil:
		return nil
	case list.Kind != yaml.SequenceNode:
		f.fail(list.Line, "%s is not a list", key)
		return nil
	case len(list.Content) > n:
		f.fail(list.Line, "%s has more than %d parts", key, n)
		return nil
	}
	return list.Content
}

func (f fields) texts(to *[]string, key string, n int) {
	if !f.has(key) {
		return
	}
	var all []string
	for _, item := range f.items(key, n) {
		if item = meant(item); item.Kind != yaml.ScalarNode || len(item.Value) > maxText {
			f.fail(item.Line, "%s has a part that is not a short text", key)
			return
		}
		all = append(all, strings.TrimSpace(item.Value))
	}
	*to = all
}

// each reads a list of fields.
func (f fields) each(key string, n int) []fields {
	var all []fields
	for _, item := range f.items(key, n) {
		all = append(all, f.of(item))
	}
	return all
}

func (f fields) number(key string) int64 {
	n, err := strconv.ParseInt(f.text(key), 0, 64)
	if err != nil {
		f.fail(f.lineOf(key), "%s is not a number", key)
	}
	return n
}

func (f fields) numbers(to *[]int64, key string, most int) {
	if !f.has(key) {
		return
	}
	var texts []string
	f.texts(&texts, key, most)
	*to = nil
	for _, t := range texts {
		n, err := strconv.ParseInt(t, 0, 64)
		if err != nil {
			f.fail(f.lineOf(key), "%s has a part that is not a number", key)
			return
		}
		*to = append(*to, n)
	}
}

// sum reads the hash of a file.
func (f fields) sum(to *string, key string) {
	if !f.has(key) {
		return
	}
	s := strings.ToLower(f.text(key))
	if !sha.MatchString(s) {
		f.fail(f.lineOf(key), "%s is not a SHA-256 of 64 hexadecimal digits", key)
	}
	*to = s
}

var sha = regexp.MustCompile(`^[0-9a-f]{64}$`)
