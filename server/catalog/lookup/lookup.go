// Package lookup is the command that compares a listing of installed software with advisories
// on its own, without a server: what the server does with every device, to be tried by hand.
package lookup

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/dump"
	"patchbay/server/catalog/listing"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/osv"
)

// Command compares a listing with advisories.
type Command struct {
	Inventory string   `required:"" type:"existingfile" help:"What is installed: the status file of dpkg, the output of rpm -qa, or a bill of materials (CycloneDX, SPDX); packed with gzip or not."`
	Release   string   `help:"Of which system it is, such as debian:12, ubuntu:24.04, almalinux:9, rhel:9.2, alpine:3.23. A bill of materials may say it itself."`
	OSV       []string `name:"osv" type:"path" sep:"none" help:"Advisories in the form of OSV: a file, an archive or a folder. May be given several times."`
	Kernel    string   `help:"The kernel that runs, as uname -r prints it."`
}

// Run prints the findings, for people or as JSON.
func (c *Command) Run(out, notes io.Writer, asJSON bool) error {
	release := ""
	if c.Release != "" {
		var err error
		if release, err = match.Release(c.Release); err != nil {
			return err
		}
	}
	h, err := c.host(release)
	if err != nil {
		return err
	}
	h.Kernel = strings.TrimSpace(c.Kernel)
	x, err := c.index(notes)
	if err != nil {
		return err
	}
	c.unknown(notes, h, x)
	list := x.Match(h)
	if asJSON {
		return printJSON(out, list)
	}
	return c.print(out, h, x, list)
}

func (c *Command) host(release string) (match.Host, error) {
	f, err := os.Open(c.Inventory)
	if err != nil {
		return match.Host{}, fmt.Errorf("reading the inventory: %w", err)
	}
	defer f.Close()
	h, err := listing.Read(f, release)
	if err != nil {
		return h, fmt.Errorf("%s: %w", c.Inventory, err)
	}
	if h.Release == "" && slices.ContainsFunc(h.Items, func(it match.Item) bool { return it.Ecosystem == "" }) {
		return h, fmt.Errorf("%s does not say of which system it is: give --release, such as debian:12", c.Inventory)
	}
	return h, nil
}

// unknown says what nobody looked at, so that no finding is not taken for none.
func (c *Command) unknown(notes io.Writer, h match.Host, x *match.Index) {
	if h.Unread > 0 {
		fmt.Fprintf(notes, "%s: not compared, for want of a package URL that can be read: %d\n", c.Inventory, h.Unread)
	}
	places := map[string]bool{}
	for _, it := range h.Items {
		places[cmp.Or(it.Ecosystem, h.Release)] = true
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		if !x.Speaks(place) {
			fmt.Fprintf(notes, "%s: no advisory that was given speaks of %s, so its packages are not looked at\n", c.Inventory, place)
		}
	}
}

// index reads the advisories that are given.
func (c *Command) index(notes io.Writer) (*match.Index, error) {
	if len(c.OSV) == 0 {
		return nil, fmt.Errorf("there are no advisories to compare with: give --osv with a file, an archive or a folder")
	}
	b := match.NewBuilder(nil)
	for _, path := range c.OSV {
		err := dump.Each(path, func(name string, in io.Reader) error {
			report, err := osv.Read(bufio.NewReaderSize(in, 1<<20), b.Add)
			for _, why := range report.Why {
				fmt.Fprintf(notes, "%s: left out: %s\n", name, why)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return b.Index(), nil
}

// printJSON prints a list with one finding a line.
func printJSON(out io.Writer, list []match.Finding) error {
	w := bufio.NewWriter(out)
	w.WriteString("[")
	for i, f := range list {
		if i > 0 {
			w.WriteString(",")
		}
		text, err := json.Marshal(f)
		if err != nil {
			return err
		}
		w.WriteString("\n")
		w.Write(text)
	}
	w.WriteString("\n]\n")
	return w.Flush()
}

func (c *Command) print(out io.Writer, h match.Host, x *match.Index, list []match.Finding) error {
	w := bufio.NewWriter(out)
	counts := map[match.Status]int{}
	for _, f := range list {
		counts[f.Status]++
		fixed := f.Fixed
		if fixed == "" {
			fixed = "-"
		}
		fmt.Fprintf(w, "%-12s  %-8s  %s %s  %s  fixed in %s", f.Status, f.Severity, f.Item, f.Installed, name(f), fixed)
		if f.Note != "" {
			fmt.Fprintf(w, "  %s", f.Note)
		}
		fmt.Fprintln(w)
	}
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	fmt.Fprintf(w, "%d items%s against %d advisories: %d findings", len(h.Items), of(h.Release), x.Count(), len(list))
	if len(parts) > 0 {
		fmt.Fprintf(w, " (%s)", strings.Join(parts, ", "))
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// name is what an advisory is called by people: its CVE where it has one.
func name(f match.Finding) string {
	for _, id := range f.Aliases {
		if advisory.IsCVE(id) && !strings.Contains(f.Advisory, id) {
			return f.Advisory + " (" + id + ")"
		}
	}
	return f.Advisory
}

func of(release string) string {
	if release == "" {
		return ""
	}
	return " of " + release
}
