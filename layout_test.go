// Package patchbay_test keeps the shape of the code: who may import whom, and which things
// are done in one place only. It reads files; it does not run them. A rule that gets in the
// way is changed here, in the open, with the reason beside it.
package patchbay_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "patchbay/"

// source is one Go file.
type source struct {
	path    string // slashed, from the root
	dir     string // the folder, "." for the root
	test    bool   // _test.go, or below test/
	text    string
	ast     *ast.File
	imports []string // without quotes
}

// tree is all Go files, read once.
type tree struct {
	fset  *token.FileSet
	files []*source
}

var repository = sync.OnceValues(readTree)

func readTree() (*tree, error) {
	t := &tree{fset: token.NewFileSet()}
	err := walk(func(name string) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(t.fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		s := &source{path: name, dir: path.Dir(name), text: string(text), ast: f,
			test: strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "test/")}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value) // the parser has checked it
			s.imports = append(s.imports, p)
		}
		t.files = append(t.files, s)
		return nil
	})
	return t, err
}

// walk calls f for every file that belongs to the project, with its slashed path.
func walk(f func(name string) error) error {
	away := []string{".git", ".build", ".run", "bin", "dist", "console/node_modules", "console/dist/app", "console/e2e/shots"}
	return filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		name = filepath.ToSlash(name)
		if err != nil || d.IsDir() {
			if slices.Contains(away, name) {
				return fs.SkipDir
			}
			return err
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return f(name)
	})
}

// sources gives the files that a rule is about.
func sources(t *testing.T, about func(*source) bool) []*source {
	t.Helper()
	tr, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.files) < 50 {
		t.Fatalf("only %d Go files: this test must run at the root of the project", len(tr.files))
	}
	var found []*source
	for _, s := range tr.files {
		if about(s) {
			found = append(found, s)
		}
	}
	return found
}

func code(s *source) bool { return !s.test }

// below reports whether dir is one of the folders or in one.
func below(dir string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return dir == f || strings.HasPrefix(dir, f+"/") })
}

// at says where something is, for a message.
func at(s *source, n ast.Node) string {
	tr, _ := repository() // read already
	return s.path + ":" + strconv.Itoa(tr.fset.Position(n.Pos()).Line)
}

// mayImport says for each folder what else of the project its code may import: "patch" is
// that folder alone, "patch/..." also all below it. The longest match holds, and a folder
// may always import what is below itself.
//
// wire and server see provider for its words (traits, what an apply changed), which travel
// from the one to the other; never a manager's own folder.
var mayImport = map[string][]string{
	"patch":                {},
	"patch/vercmp":         {"patch"},
	"window":               {"patch"},
	"wire":                 {"patch", "window", "provider"},
	"wire/trust":           {"wire", "patch"},
	"passphrase":           {},
	"sign":                 {"wire/...", "patch", "provider", "passphrase"},
	"provider":             {"patch"},
	"patch/arp":            {"patch"},
	"patch/signature":      {"patch"},                 // of files, as values: agent and command line read the same
	"provider/":            {"patch/...", "provider"}, // each manager's folder
	"provider/all":         {"provider/..."},
	"agent":                {"agent/...", "wire/...", "window", "patch/...", "provider/..."},
	"server":               {"server/...", "wire/...", "window", "patch", "provider", "passphrase"},
	"server/assess":        {"patch", "wire"},
	"server/policy":        {"patch", "window", "server/assess"},
	"server/rollout":       {"patch", "window", "wire", "server/assess", "server/policy"},
	"server/clock":         {"patch", "window"},
	"server/catalog":       {"patch/...", "provider", "server/catalog/..."},                                        // what is known of the world: a folder for each feed
	"server/catalog/feeds": {"patch", "provider", "server/catalog/...", "server/effect", "server/outside", "wire"}, // gets and keeps them
	"server/bulletin":      {},
	"server/knowledge":     {"patch", "wire", "provider", "server/assess", "server/bulletin", "server/catalog/..."},
	"server/roles":         {"patch", "wire", "provider", "server/catalog/priority"},
	"server/verdict":       {"patch", "window", "wire", "server/assess", "server/policy", "server/rollout"},
	"server/view":          {"patch", "window", "wire", "provider", "server/assess", "server/verdict", "server/roles"},
	"server/store":         {"patch", "window", "wire", "provider", "server/bulletin", "server/rival", "server/effect"},
	"server/access":        {"server/store", "patch"},
	"server/bus":           {"server/view"},
	"server/ca":            {"patch", "wire", "server/effect"},
	"server/backup":        {"server/store", "server/ca", "passphrase"},
	"server/content":       {"server/store", "server/effect", "server/outside", "patch"},
	"server/outside":       {},
	"server/rival":         {},
	"server/effect":        {},
	"server/peers":         {"server/store"},
	"server/api/openapi":   {"server/api"},
	"client":               {"server/api", "server/view", "patch", "window", "wire"},
	"cli":                  {"client", "server/api", "server/view", "server/assess", "server/catalog/...", "sign", "passphrase", "patch/...", "window", "wire/..."},
	"console":              {},
	"cmd/patchbay":         {"cli", "server/...", "sign", "console", "patch/...", "window", "wire/..."},
	"cmd/patchbay-agent":   {"agent/...", "provider/...", "patch", "window", "wire/..."},
	"cmd/patchbay-sim":     {"sim", "wire/...", "window", "patch"},
	"sim":                  {"wire/...", "window", "patch", "provider"},
	"packaging/agentunit":  {"agent/service", "wire"},
	"test":                 {"..."},
}

// allowedFor is the rule that holds in a folder.
func allowedFor(dir string) []string {
	own := dir + "/..."
	for d := dir; d != "."; d = path.Dir(d) {
		if to, ok := mayImport[d]; ok && (d != "provider" || dir == d) {
			return append([]string{own}, to...)
		}
		if d == "provider" {
			_, below, _ := strings.Cut(dir, "/")
			return append([]string{"provider/" + first(below, 1) + "/..."}, mayImport["provider/"]...)
		}
	}
	return []string{own}
}

func allows(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		all, open := strings.CutSuffix(p, "/...")
		return p == "..." || dir == p || open && below(dir, all)
	})
}

func TestFoldersImportOnlyWhatTheyMay(t *testing.T) {
	for _, s := range sources(t, code) {
		allowed := allowedFor(s.dir)
		for _, i := range s.imports {
			if to, ours := strings.CutPrefix(i, module); ours && !allows(allowed, to) {
				t.Errorf("%s imports %s; code in %s may import only: %s", s.path, to, s.dir, strings.Join(allowed, ", "))
			}
		}
	}
}

// The program's code never depends on what is there to test it.
func TestNothingImportsTests(t *testing.T) {
	for _, s := range sources(t, code) {
		for _, i := range s.imports {
			if below(i, module+"test", module+"provider/providertest") || i == "testing" && !below(s.dir, "provider/providertest") {
				t.Errorf("%s imports %s, which is for tests", s.path, i)
			}
		}
	}
}

// A server may be ended around its effects by tests; no program brings what could.
func TestOnlyTestsStandAroundEffects(t *testing.T) {
	for _, s := range sources(t, func(s *source) bool { return !s.test && !below(s.dir, "server") }) {
		if strings.Contains(s.text, "Around:") || slices.Contains(s.imports, module+"server/effect") {
			t.Errorf("%s stands around a server's effects: only tests do", s.path)
		}
	}
}

// only names the folders in which alone a package may be imported, and why.
func TestSomePackagesAreForOnePlaceOnly(t *testing.T) {
	only := []struct {
		what    string
		folders []string
		why     string
	}{
		{"os/exec", []string{"provider/host", "provider/external", "agent/service"}, "outside commands go through provider.Host"},
		{"database/sql", []string{"server/store"}, "SQL stays under server/store"},
		{"database/sql/driver", []string{"server/store"}, "SQL stays under server/store"},
		{"github.com/jackc/pgx", []string{"server/store"}, "SQL stays under server/store"},
		{"modernc.org/sqlite", []string{"server/store"}, "SQL stays under server/store"},
		{"github.com/pressly/goose", []string{"server/store"}, "SQL stays under server/store"},
		{"github.com/danielgtaylor/huma", []string{"server/api"}, "routes stay under server/api"},
		{"github.com/alecthomas/kong", []string{"cmd"}, "flags are read in cmd and become Options"},
		{"filippo.io/age", []string{"passphrase", "sign"}, "what is kept under a passphrase is sealed in one place"},
		{"os/signal", []string{"cmd"}, "signals are for programs; what is below them gets a context"},
		{"flag", []string{"cmd"}, "flags are read in cmd and become Options"},
		{"log", nil, "logs are written with log/slog"},
		{"math/rand", nil, "use math/rand/v2 for spreading, crypto/rand for secrets"},
		{"github.com/go-ole/go-ole", []string{"provider/host"}, "COM is spoken in one place"},
		// Windows wants pointers inside of what it is asked about a file's signature, and the
		// size of what it fills in about threads; golang.org/x/sys/windows wraps neither. COM's
		// decimals are read where they lie; go-ole does not know them.
		{"unsafe", []string{"provider/host"}, "nothing here needs it"},
		{"plugin", nil, "the list of providers is explicit"},
	}
	for _, s := range sources(t, code) {
		for _, i := range s.imports {
			for _, rule := range only {
				same := i == rule.what || strings.Contains(rule.what, ".") && strings.HasPrefix(i, rule.what+"/")
				if same && (!below(s.dir, rule.folders...) || i == "unsafe" && !onWindows(s.path)) {
					t.Errorf("%s imports %s: %s", s.path, i, rule.why)
				}
			}
		}
	}
}

// onWindows reports whether a file is compiled for Windows only.
func onWindows(name string) bool {
	return strings.HasSuffix(name, "_windows.go") || path.Base(name) == "windows.go"
}

// What decides gets values and gives values: no store, logger, context or clock.
func TestDecisionsArePure(t *testing.T) {
	pure := []string{"wire/trust", "sign", "server/assess", "server/policy", "server/rollout", "server/clock", "server/roles", "server/catalog/priority", "server/rival", "server/verdict", "window", "patch"}
	for _, s := range sources(t, func(s *source) bool { return !s.test && below(s.dir, pure...) }) {
		for _, i := range s.imports {
			if slices.Contains([]string{"context", "log/slog", "os", "io/fs", "net", "net/http", "sync", "math/rand/v2"}, i) {
				t.Errorf("%s imports %s: a decision takes values and gives values", s.path, i)
			}
		}
		for _, n := range clockUses(s) {
			t.Errorf("%s uses the clock: a decision takes now as an argument", at(s, n))
		}
	}
}

// Folders never import each other, neither at the top nor two deep.
func TestFoldersDoNotImportEachOther(t *testing.T) {
	edges := map[[2]string]string{}
	for _, s := range sources(t, code) {
		for _, i := range s.imports {
			to, ours := strings.CutPrefix(i, module)
			if !ours {
				continue
			}
			for depth := 1; depth <= 2; depth++ {
				if from, to := first(s.dir, depth), first(to, depth); from != to && !below(from, to) && !below(to, from) {
					edges[[2]string{from, to}] = s.path
				}
			}
		}
	}
	for e, p := range edges {
		if back, ok := edges[[2]string{e[1], e[0]}]; ok && e[0] < e[1] {
			t.Errorf("%s and %s import each other, in %s and %s", e[0], e[1], p, back)
		}
	}
}

// first gives the first n folders of a path.
func first(dir string, n int) string {
	parts := strings.Split(dir, "/")
	return strings.Join(parts[:min(n, len(parts))], "/")
}

// A long chain of imports is a stack of layers to be understood at once. The longest leads
// from the program through api, engine and the chain of pure decisions to patch.
func TestImportsAreShallow(t *testing.T) {
	const most = 12
	to := map[string][]string{}
	for _, s := range sources(t, code) {
		for _, i := range s.imports {
			if d, ours := strings.CutPrefix(i, module); ours {
				to[s.dir] = append(to[s.dir], d)
			}
		}
	}
	depth := map[string]int{}
	var measure func(dir string) int
	measure = func(dir string) int {
		if n, ok := depth[dir]; ok {
			return n
		}
		n := 0
		for _, d := range to[dir] {
			n = max(n, 1+measure(d))
		}
		depth[dir] = n
		return n
	}
	for dir := range to {
		if n := measure(dir); n > most {
			t.Errorf("%s imports %d deep, %d is the most", dir, n, most)
		}
	}
}

// A package manager is its folder and one line in provider/all: nothing else knows its name.
// A version order may have the name of the manager it is of, and so may the folder that reads
// a manager's catalogue.
func TestProvidersAreKnownInOnePlace(t *testing.T) {
	for _, name := range managers(t) {
		for _, s := range sources(t, func(s *source) bool {
			return !s.test && !below(s.dir, "provider/"+name, "server/catalog/"+name) && s.path != "patch/version.go"
		}) {
			if slices.Contains(s.imports, module+"provider/"+name) && s.dir != "provider/all" {
				t.Errorf("%s imports provider/%s: only provider/all may", s.path, name)
			}
			ast.Inspect(s.ast, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && l.Value == strconv.Quote(name) {
					t.Errorf("%s names the provider %s: what the program must know of it belongs into its traits", at(s, l), name)
				}
				return true
			})
		}
	}
}

// managers are the folders of package managers.
func managers(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("provider")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains([]string{"all", "host", "providertest"}, e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestFiguresOfAProvidersSpread is the law on what one more manager costs outside of its folder:
// one file, with its import and its line in the list, and no word in a page, a statement or a
// document of the API.
func TestFiguresOfAProvidersSpread(t *testing.T) {
	list, err := os.ReadFile("provider/all/all.go")
	if err != nil {
		t.Fatal(err)
	}
	names := managers(t)
	for _, name := range names {
		for _, line := range []string{strconv.Quote(module + "provider/" + name), "\t" + name + ".Kind(),"} {
			if n := strings.Count(string(list), line); n != 1 {
				t.Errorf("provider/all/all.go has %d times %s", n, strings.TrimSpace(line))
			}
		}
	}
	pages := []string{".ts", ".tsx", ".css", ".html", ".sql", "openapi.json"}
	err = walk(func(file string) error {
		if below(file, "test", "console/e2e") || strings.Contains(file, ".test.") || strings.Contains(file, "/testdata/") ||
			!slices.ContainsFunc(pages, func(end string) bool { return strings.HasSuffix(file, end) }) {
			return nil
		}
		text, err := os.ReadFile(file)
		for _, name := range names {
			for _, mark := range []string{`"`, "'", "`"} {
				if strings.Contains(string(text), mark+name+mark) {
					t.Errorf("%s names the provider %s: what a page must know of it belongs into its traits", file, name)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
