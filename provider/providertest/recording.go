// Package providertest lets providers be tested without the system they are for.
//
// A Host here answers from a recording: the commands of a real system in one text file
// that people can read and extend, and a folder with the files it had.
//
//	$ apt-get -q update
//	| Hit:1 http://deb.example.org/debian bookworm InRelease
//	! W: something to think about
//	= 0
//
// A line begins with "$ " for a command and its arguments (quoted where they need it),
// "| " for what it wrote, "! " for its errors, "= " for its exit code, "#" for a remark.
package providertest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"patchbay/provider"
)

// Host answers commands from a recording. Commands that were recorded several times are
// answered in that order, the last one again and again.
type Host struct {
	files fs.FS

	mu      sync.Mutex
	answers map[string][]provider.Result
	ran     []provider.Command
}

var _ provider.Host = (*Host)(nil)

// Open reads a recording: commands.txt and the folder files below dir.
func Open(t testing.TB, dir string) *Host {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "commands.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := New(f, os.DirFS(filepath.Join(dir, "files")))
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return h
}

// New makes a host of the commands in r and the given files.
func New(r io.Reader, files fs.FS) (*Host, error) {
	h := &Host{files: files, answers: map[string][]provider.Result{}}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 16<<20)
	command := ""
	var res provider.Result
	for n := 1; sc.Scan(); n++ {
		mark, rest, _ := strings.Cut(sc.Text(), " ")
		switch mark {
		case "$":
			command, res = rest, provider.Result{}
		case "|":
			res.Stdout += rest + "\n"
		case "!":
			res.Stderr += rest + "\n"
		case "=":
			code, err := strconv.Atoi(rest)
			if err != nil || command == "" {
				return nil, fmt.Errorf("line %d: %q does not end a command", n, sc.Text())
			}
			res.Code = code
			h.answers[command] = append(h.answers[command], res)
			command = ""
		default:
			if mark != "" && !strings.HasPrefix(mark, "#") {
				return nil, fmt.Errorf("line %d begins with %q", n, mark)
			}
		}
	}
	return h, sc.Err()
}

// Answer adds, or replaces, what a command is answered with.
func (h *Host) Answer(res provider.Result, args ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers[Line(args)] = []provider.Result{res}
}

// Run answers from the recording. A command that was never recorded is an error.
func (h *Host) Run(ctx context.Context, c provider.Command) (provider.Result, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return provider.Result{}, err
	}
	h.ran = append(h.ran, c)
	key := Line(c.Args)
	answers := h.answers[key]
	if len(answers) == 0 {
		return provider.Result{}, fmt.Errorf("no recording of: %s", key)
	}
	if len(answers) > 1 {
		h.answers[key] = answers[1:]
	}
	if c.Line != nil {
		for line := range strings.Lines(answers[0].Stdout + answers[0].Stderr) {
			c.Line(strings.TrimSuffix(line, "\n"))
		}
	}
	return answers[0], nil
}

// Files are the recorded ones.
func (h *Host) Files() fs.FS { return h.files }

// Ran lists the commands that were run so far.
func (h *Host) Ran() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var lines []string
	for _, c := range h.ran {
		lines = append(lines, Line(c.Args))
	}
	return lines
}

// Line writes a command as the recording does.
func Line(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\$|!#") {
			words[i] = strconv.Quote(a)
		}
	}
	return strings.Join(words, " ")
}

// Recorder writes down what another host answers, for a recording.
type Recorder struct {
	provider.Host
	To io.Writer

	mu sync.Mutex
}

// Run asks the host and writes the answer down.
func (r *Recorder) Run(ctx context.Context, c provider.Command) (provider.Result, error) {
	res, err := r.Host.Run(ctx, c)
	if err != nil {
		return res, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = io.WriteString(r.To, Write(c.Args, res))
	return res, err
}

// Write gives one command as it stands in a recording.
func Write(args []string, res provider.Result) string {
	var b strings.Builder
	b.WriteString("$ " + Line(args) + "\n")
	for _, s := range []struct{ mark, text string }{{"| ", res.Stdout}, {"! ", res.Stderr}} {
		for line := range strings.Lines(s.text) {
			b.WriteString(s.mark + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	fmt.Fprintf(&b, "= %d\n\n", res.Code)
	return b.String()
}
