package patchbay_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// selects reports whether n is the selector pkg.name, with pkg a package as imported by its
// own name.
func selects(n ast.Node, pkg string, names ...string) bool {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg && x.Obj == nil && slices.Contains(names, sel.Sel.Name)
}

// clockUses finds calls that read or wait for the real clock. Naming time.Now as a default,
// without calling it, is how Options are made and is not among them.
func clockUses(s *source) []ast.Node {
	var found []ast.Node
	ast.Inspect(s.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if ok && selects(call.Fun, "time", "Now", "Since", "Until") {
			found = append(found, call)
		}
		return true
	})
	return found
}

// Below cmd the time comes in: as an argument of decisions, as Options.Now of loops. A few
// things are about the machine's clock itself and stand here with their reason.
func TestOnlyProgramsReadTheClock(t *testing.T) {
	excused := map[string]string{
		"server/api/content.go":          "a connection's read deadline is compared with the real clock",
		"server/api/events.go":           "a connection's write deadline is compared with the real clock",
		"server/api/agentapi/content.go": "a connection's write deadline is compared with the real clock",
		"server/api/agentapi/wake.go":    "a connection's write deadline is compared with the real clock",
	}
	for _, s := range sources(t, func(s *source) bool { return !s.test && !below(s.dir, "cmd", "test") }) {
		for _, n := range clockUses(s) {
			if excused[s.path] == "" {
				t.Errorf("%s reads the clock: take now as an argument, or Options.Now", at(s, n))
			}
		}
	}
}

// net/http servers are made by server/api, and by server/server.go, which wires them.
func TestServersAreInOnePlace(t *testing.T) {
	for _, s := range sources(t, code) {
		if below(s.dir, "server/api", "agent/relay") || s.path == "server/server.go" || !slices.Contains(s.imports, "net/http") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if selects(n, "http", "Server", "ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS", "HandleFunc", "Handle", "NewServeMux") {
				t.Errorf("%s makes an HTTP server: that belongs into server/api", at(s, n))
			}
			return true
		})
	}
}

// No text ever reaches a shell: commands are lists of arguments.
func TestNoShell(t *testing.T) {
	shells := []string{"sh", "bash", "dash", "zsh", "ksh", "busybox", "cmd", "powershell", "pwsh"}
	for _, s := range sources(t, code) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			l, ok := n.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(l.Value)
			if err != nil {
				return true
			}
			program := strings.ToLower(text[strings.LastIndexAny(text, `/\`)+1:])
			if slices.Contains(shells, strings.TrimSuffix(program, ".exe")) {
				t.Errorf("%s names a shell (%s): give the program and its arguments to provider.Host", at(s, l), text)
			}
			return true
		})
	}
}

// What the server may tell an agent to do is named here, field by field. A new field makes
// this test fail, so that somebody asks whether its text could ever be run.
func TestOrdersCarryNothingThatCouldRun(t *testing.T) {
	known := map[string]string{
		"Orders":        "Agent Seen IssuedAt Expires Devices Approvals",
		"DeviceOrders":  "Device Windows Reboot Reboots Restart InUse ScanSeconds RefreshSeconds FreshAfter Programs Jobs",
		"Reboots":       "When Postpone DeadlineHours Daily",
		"Job":           "ID Verb Target Decision Attempt NotBefore NotAfter Forced AllowRemovals",
		"Target":        "Provider Scope Name Architecture Instance From To SHA256 Size Source",
		"Wish":          "Provider Package Install Pin",
		"OrdersVersion": "Epoch Version",
	}
	seen := map[string]bool{}
	for _, s := range sources(t, func(s *source) bool { return (s.dir == "wire" || s.path == "patch/wish.go") && !s.test }) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			st, ok := spec.Type.(*ast.StructType)
			want, mine := known[spec.Name.Name]
			if !ok || !mine {
				return true
			}
			seen[spec.Name.Name] = true
			var fields []string
			for _, f := range st.Fields.List {
				for _, name := range f.Names {
					fields = append(fields, name.Name)
				}
			}
			if got := strings.Join(fields, " "); got != want {
				t.Errorf("%s: %s has the fields %s; known are %s. May the new one's text reach a program?", at(s, spec), spec.Name.Name, got, want)
			}
			return true
		})
	}
	for name := range known {
		if !seen[name] {
			t.Errorf("wire.%s is gone: this test no longer looks at what orders carry", name)
		}
	}
}

func TestNoInitFunctions(t *testing.T) {
	for _, s := range sources(t, code) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: no init: what a package needs is passed in", at(s, f))
			}
		}
	}
}

// Package variables are constants in all but name: nothing assigns to them, takes their
// address or changes what they hold. The list has those that only look otherwise.
func TestPackageVariablesDoNotChange(t *testing.T) {
	excused := map[string]string{}
	byDir := map[string][]*source{}
	for _, s := range sources(t, code) {
		byDir[s.dir] = append(byDir[s.dir], s)
	}
	for dir, files := range byDir {
		vars := packageVars(files)
		for _, s := range files {
			for _, n := range changes(s, vars) {
				if excused[dir] == "" {
					t.Errorf("%s changes a package variable: keep it in a struct and pass that in", at(s, n))
				}
			}
		}
		for name, v := range vars {
			if excused[dir+"."+name] == "" && holdsState(v.spec) {
				t.Errorf("%s: the package variable %s is there to change: keep it in a struct and pass that in", at(v.in, v.spec), name)
			}
		}
	}
}

type packageVar struct {
	in   *source
	spec *ast.ValueSpec
}

func packageVars(files []*source) map[string]packageVar {
	vars := map[string]packageVar{}
	for _, s := range files {
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				if strings.Contains(embedding(g.Doc)+embedding(v.Doc), "//go:embed ") {
					continue // filled by the compiler
				}
				for _, name := range v.Names {
					if name.Name != "_" {
						vars[name.Name] = packageVar{s, v}
					}
				}
			}
		}
	}
	return vars
}

// embedding is the text of a comment with its directives.
func embedding(doc *ast.CommentGroup) string {
	if doc == nil {
		return ""
	}
	var b strings.Builder
	for _, c := range doc.List {
		b.WriteString(c.Text + "\n")
	}
	return b.String()
}

// holdsState reports whether a variable's declared type is made for changing.
func holdsState(v *ast.ValueSpec) bool {
	found := false
	if v.Type != nil {
		ast.Inspect(v.Type, func(n ast.Node) bool {
			if x, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := x.X.(*ast.Ident); ok && (pkg.Name == "sync" || pkg.Name == "atomic") {
					found = true
				}
			}
			_, channel := n.(*ast.ChanType)
			found = found || channel
			return true
		})
		found = found || len(v.Values) == 0
	}
	return found
}

// changes finds what assigns to one of the variables or to a part of it.
func changes(s *source, vars map[string]packageVar) []ast.Node {
	var found []ast.Node
	root := func(e ast.Expr) bool {
		for {
			switch x := e.(type) {
			case *ast.IndexExpr:
				e = x.X
			case *ast.SelectorExpr:
				e = x.X
			case *ast.ParenExpr:
				e = x.X
			case *ast.StarExpr:
				e = x.X
			case *ast.Ident:
				v, known := vars[x.Name]
				if !known {
					return false
				}
				return x.Obj == nil || x.Obj.Decl == v.spec // not a local one of the same name
			default:
				return false
			}
		}
	}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.AssignStmt:
			if x.Tok != token.DEFINE && slices.ContainsFunc(x.Lhs, root) {
				found = append(found, x)
			}
		case *ast.IncDecStmt:
			if root(x.X) {
				found = append(found, x)
			}
		case *ast.UnaryExpr:
			if x.Op == token.AND && root(x.X) {
				found = append(found, x)
			}
		case *ast.CallExpr:
			if f, ok := x.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") && root(x.Args[0]) {
				found = append(found, x)
			}
		}
		return true
	})
	return found
}
