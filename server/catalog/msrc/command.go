package msrc

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"patchbay/patch"
)

// Command reads security documents and says what is in them.
type Command struct {
	Files   []string `arg:"" name:"file" type:"path" help:"Documents (cvrfDocument-2026-Jan.xml) and tables of CVEs and KBs (JSON), packed with gzip or not."`
	Build   string   `help:"Say what a Windows of this build lacks, such as 10.0.22631.4317."`
	Product string   `help:"Which Windows it is, where several have such builds, such as \"Windows Server 2025\"."`
	Arch    string   `help:"For which architecture: amd64, arm64 or 386." enum:",amd64,arm64,386" default:""`
	KB      string   `name:"kb" help:"Say what is known of this update, such as 5044285."`
}

// told is what the command says to programs.
type told struct {
	Documents []Document `json:"documents"`
	Refused   []string   `json:"refused"`
	Replaced  []string   `json:"replaced"`
	Update    *Update    `json:"update,omitempty"`
	States    []State    `json:"states,omitempty"`
}

// Run prints it, for people or as JSON.
func (c *Command) Run(out io.Writer, asJSON bool) error {
	t := told{Refused: []string{}, Replaced: []string{}}
	var read []Document
	for _, name := range c.Files {
		d, err := Open(name)
		if err != nil {
			t.Refused = append(t.Refused, err.Error())
			continue
		}
		read = append(read, d)
	}
	t.Documents = read
	k, err := Know(read)
	if err != nil {
		return err
	}
	t.Replaced = append(t.Replaced, k.Replaced...)
	if err := c.ask(k, &t); err != nil {
		return err
	}
	if asJSON {
		in := json.NewEncoder(out)
		in.SetIndent("", "  ")
		return in.Encode(t)
	}
	t.print(out, c)
	if len(read) == 0 {
		return fmt.Errorf("none of %d files could be read", len(c.Files))
	}
	return nil
}

func (c *Command) ask(k Knowledge, t *told) error {
	if c.KB != "" {
		u, ok := k.Update(c.KB)
		if !ok {
			return fmt.Errorf("no document names KB%.20s", u.KB)
		}
		t.Update = &u
	}
	if c.Build == "" {
		return nil
	}
	b, ok := ParseBuild(c.Build)
	if !ok {
		return fmt.Errorf("--build %.40q is no build, such as 10.0.22631.4317", c.Build)
	}
	if t.States = k.Missing(Target{Build: b, Product: c.Product, Architecture: c.Arch}); len(t.States) == 0 {
		return fmt.Errorf("no document names a Windows with builds such as %s: nothing is known of what it lacks", b)
	}
	return nil
}

func (t told) print(out io.Writer, c *Command) {
	for _, d := range t.Documents {
		fmt.Fprintf(out, "%s: %d products, %d vulnerabilities (%d without a fix); %d rows, %d taken as %d fixes, %d of them without a build\n",
			d.name(), d.Products, d.Vulnerabilities, d.Unmended, d.Rows, d.Taken, len(d.Fixes), d.Buildless)
		for _, why := range slices.Sorted(maps.Keys(d.LeftOut)) {
			fmt.Fprintf(out, "  left out %d: %s\n", d.LeftOut[why], why)
		}
	}
	for _, why := range t.Refused {
		fmt.Fprintln(out, "refused:", why)
	}
	for _, why := range t.Replaced {
		fmt.Fprintln(out, why)
	}
	if u := t.Update; u != nil {
		u.print(out, "")
		fmt.Fprintf(out, "  products: %s\n  builds: %s\n  supersedes: %s\n  superseded by: %s\n", strings.Join(u.Products, "; "), list(u.Builds), list(u.Supersedes), list(u.SupersededBy))
	}
	for _, s := range t.States {
		track := cmp.Or(string(s.Track), "by cumulative updates or hotpatches, which the build does not tell")
		fmt.Fprintf(out, "%s %s (%s): %s; %d are mended\n", s.Product, s.Build, track, s.Worst(), s.Mended)
		for _, l := range s.Missing {
			l.print(out, "  missing ")
		}
		for _, l := range s.Unproven {
			l.print(out, "  not proven ")
		}
	}
}

func (l Lack) print(out io.Writer, before string) {
	l.Update.print(out, before+l.Build.String()+" "+string(l.Kind)+" ")
	if l.Why != "" {
		fmt.Fprintln(out, "    "+l.Why)
	}
}

func (u Update) print(out io.Writer, before string) {
	restart := map[patch.Answer]string{patch.Yes: "restart", patch.No: "no restart", patch.Unknown: "restart not known"}[u.Restart]
	fmt.Fprintf(out, "%sKB%s (%s): %d CVEs, worst %s, %s: %s\n", before, u.KB, strings.Join(u.Documents, ", "), len(u.CVEs), cmp.Or(string(u.Severity), "unknown"), restart, list(u.CVEs))
	if len(u.Exploited) > 0 {
		fmt.Fprintf(out, "    being exploited: %s\n", list(u.Exploited))
	}
}

func list(of []string) string { return cmp.Or(strings.Join(of, ", "), "none known") }
