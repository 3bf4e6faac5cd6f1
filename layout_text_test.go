package patchbay_test

import (
	"bytes"
	"go/ast"
	"go/token"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	said, where := map[string]bool{}, map[string]string{}
	for _, s := range sources(t, func(s *source) bool { return !strings.HasSuffix(s.path, "_test.go") }) {
		where[s.dir] = s.path
		if s.ast.Doc == nil {
			continue
		}
		text := s.ast.Doc.Text()
		said[s.dir] = true
		if begin := map[bool]string{true: "Command ", false: "Package "}[s.ast.Name.Name == "main"]; !strings.HasPrefix(text, begin) {
			t.Errorf("%s: the package comment begins with %q", s.path, begin)
		}
	}
	for dir, file := range where {
		if !said[dir] {
			t.Errorf("%s has no package comment, for example in %s", dir, file)
		}
	}
}

// Every exported name has a sentence that begins with it; members of a group may share the
// group's.
func TestEveryExportedNameIsDocumented(t *testing.T) {
	for _, s := range sources(t, func(s *source) bool { return !strings.HasSuffix(s.path, "_test.go") }) {
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && ofExported(d) && d.Doc == nil {
					t.Errorf("%s: %s has no comment", at(s, d), d.Name.Name)
				}
			case *ast.GenDecl:
				undocumented(t, s, d)
			}
		}
	}
}

// ofExported reports whether a function is no method, or one of an exported type.
func ofExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func undocumented(t *testing.T, s *source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				t.Errorf("%s: %s has no comment", at(s, spec), spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					t.Errorf("%s: %s has no comment", at(s, spec), name.Name)
				}
			}
		}
	}
}

// Long files have a second subject; long functions do two things; wide interfaces serve
// nobody.
func TestSizes(t *testing.T) {
	tr, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	lines := func(n ast.Node) int { return tr.fset.Position(n.End()).Line - tr.fset.Position(n.Pos()).Line + 1 }
	for _, s := range sources(t, code) {
		if n := strings.Count(s.text, "\n"); n > 500 {
			t.Errorf("%s has %d lines, 500 are the most: look for the second subject", s.path, n)
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				limit := 100
				if n.Name.Name == "main" {
					limit = 40
				}
				if lines(n) > limit {
					t.Errorf("%s: %s has %d lines, %d are the most", at(s, n), n.Name.Name, lines(n), limit)
				}
			case *ast.InterfaceType:
				if n.Methods.NumFields() > 8 {
					t.Errorf("%s: an interface of %d methods, 8 are the most: state what this consumer needs", at(s, n), n.Methods.NumFields())
				}
			}
			return true
		})
	}
}

// Work that is left is an issue, not a comment.
func TestNoNotesToSelf(t *testing.T) {
	for _, s := range sources(t, func(*source) bool { return true }) {
		for _, g := range s.ast.Comments {
			for _, word := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"} {
				if strings.Contains(g.Text(), word) {
					t.Errorf("%s: a comment says %s", at(s, g), word)
				}
			}
		}
	}
}

// Tests wait for something to happen, never for time to pass.
func TestTestsDoNotSleepToSynchronise(t *testing.T) {
	for _, s := range sources(t, func(s *source) bool { return strings.HasSuffix(s.path, "_test.go") }) {
		depth := 0 // a short sleep inside a loop that looks again is a poll
		var stack []ast.Node
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if n == nil {
				if loop(stack[len(stack)-1]) {
					depth--
				}
				stack = stack[:len(stack)-1]
				return true
			}
			stack = append(stack, n)
			if loop(n) {
				depth++
			}
			if call, ok := n.(*ast.CallExpr); ok && selects(call.Fun, "time", "Sleep") && depth == 0 && !strings.Contains(s.text, "synctest") {
				t.Errorf("%s sleeps: wait for what must happen instead", at(s, n))
			}
			return true
		})
	}
}

func loop(n ast.Node) bool {
	switch n.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return true
	}
	return false
}

// Nothing here names the machine it was written on, or the hosts from which this machine
// gets its packages: the project builds wherever package managers are set up.
func TestNoFileNamesThisMachine(t *testing.T) {
	words := machineWords(t)
	err := walk(func(name string) error {
		text, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 { // not text
			return err
		}
		for word, what := range words {
			if i := bytes.Index(text, []byte(word)); i >= 0 {
				t.Errorf("%s:%d names %s", name, 1+bytes.Count(text[:i], []byte("\n")), what)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// machineWords asks the package managers of this machine for their hosts, and the machine
// for its folders. What is not installed is not asked.
func machineWords(t *testing.T) map[string]string {
	words := map[string]string{}
	for _, ask := range [][]string{
		{"apt-get", "indextargets", "--format", "$(SITE)"},
		{"go", "env", "GOPROXY"},
		{"npm", "config", "get", "registry"},
	} {
		out, err := exec.Command(ask[0], ask[1:]...).Output()
		if err != nil {
			continue
		}
		for _, word := range strings.FieldsFunc(string(out), func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '|' }) {
			if u, err := url.Parse(word); err == nil && u.Hostname() != "" {
				words[u.Hostname()] = "the host from which " + ask[0] + " gets packages here"
			}
		}
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{here, filepath.Dir(here), os.Getenv("GOMODCACHE"), os.Getenv("GOCACHE")} {
		if strings.Count(path.Clean(filepath.ToSlash(dir)), "/") >= 2 || len(dir) > 4 && dir != "/home" && dir != "/build" {
			words[dir+string(filepath.Separator)] = "a folder of this machine"
		}
	}
	return words
}

// A struct's context, kept for later, is one nobody can cancel in time.
func TestContextsAreNotStored(t *testing.T) {
	for _, s := range sources(t, code) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			st, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range st.Fields.List {
				if selects(f.Type, "context", "Context") {
					t.Errorf("%s keeps a context in a struct: pass it", at(s, f))
				}
			}
			return true
		})
	}
}

// A package-level goroutine would have nobody who waits for it.
func TestNoGoroutinesAtPackageLevel(t *testing.T) {
	for _, s := range sources(t, code) {
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			ast.Inspect(g, func(n ast.Node) bool {
				if _, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s starts a goroutine when the program starts", at(s, n))
				}
				return true
			})
		}
	}
}
