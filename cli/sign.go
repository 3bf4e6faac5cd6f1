package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"patchbay/sign"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// Sign signs a document with a key that no server has. Without a key it is shown only.
type Sign struct {
	File     string   `arg:"" help:"The draft, or the document that others signed already."`
	With     string   `help:"File with the key that signs. Left out, the document is only shown." placeholder:"KEY"`
	Root     string   `help:"The root that holds: who may sign. For a root, the one before it."`
	Previous string   `help:"The document before this one: what changed."`
	Names    []string `help:"File with public lines, to show whose keys are meant; repeat for more." sep:"none"`
	Yes      bool     `help:"Do not ask."`
	Passphrases
}

// Run shows the document, asks, and signs the very bytes that were shown.
func (c *Sign) Run(g *Globals) error {
	d, err := readDocument(c.File)
	if err != nil {
		return err
	}
	beside, err := c.beside(g, d)
	if err != nil {
		return err
	}
	fmt.Fprint(g.Out, sign.Show(d, beside)+"\n")
	if c.With == "" {
		return g.lines(append(standing(d, beside), "Only shown, not signed: to sign it, add --with and the file of a key.")...)
	}
	return c.sign(g, d, beside)
}

func (c *Sign) sign(g *Globals, d *sign.Document, beside sign.Beside) error {
	f, err := readKeyFile(c.With)
	if err != nil {
		return err
	}
	if err := mayCount(g, d, beside, f.Public); err != nil {
		return err
	}
	in := bufio.NewReader(g.In)
	if !c.Yes {
		answer, err := ask(g, in, "Sign this? Type yes: ")
		if err != nil {
			return err
		}
		if strings.TrimSpace(answer) != "yes" {
			return errors.New("nothing was signed")
		}
	}
	key, err := c.openKey(g, in, c.With)
	if err != nil {
		return err
	}
	if err := d.Sign(key); err != nil {
		return err
	}
	if err := writeDocument(c.File, d.Envelope(), replaceFile); err != nil {
		return err
	}
	return g.lines(append([]string{"Signed."}, append(standing(d, beside), next(d, beside, c.File))...)...)
}

// beside reads what the document is shown beside.
func (c *Sign) beside(g *Globals, d *sign.Document) (sign.Beside, error) {
	b := sign.Beside{Now: g.Now(), Names: map[string]string{}}
	root := c.Root
	if d.Root != nil && c.Previous != "" {
		if root != "" && root != c.Previous {
			return b, errors.New("for a root, --root and --previous are the same file: the root before it")
		}
		root = c.Previous
	}
	if root != "" {
		r, err := readRoot(root)
		if err != nil {
			return b, err
		}
		b.Root = &r
	}
	if d.Root == nil && c.Previous != "" {
		p, err := readDocument(c.Previous)
		if err != nil {
			return b, err
		}
		if (d.Limits == nil || p.Limits == nil) && (d.Catalog == nil || p.Catalog == nil) {
			return b, fmt.Errorf("%s is not what came before: only roots, limits and catalogues follow each other", c.Previous)
		}
		b.Limits, b.Catalog = p.Limits, p.Catalog
	}
	return b, readNames(b.Names, c.Names)
}

// readNames fills in what keys are called, from files of public lines.
func readNames(names map[string]string, files []string) error {
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading names of keys: %w", err)
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimRight(line, "\r\n"); !strings.HasPrefix(line, "patchbay-key ") {
				continue
			}
			p, err := sign.ParsePublic(line)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			names[p.Name()] = p.Comment
		}
	}
	return nil
}

// mayCount says whose key it is, and refuses one whose signature would count for nothing.
func mayCount(g *Globals, d *sign.Document, b sign.Beside, key sign.Public) error {
	called := key.Name()
	if key.Comment != "" {
		called += " (" + key.Comment + ")"
	}
	for _, part := range d.Parts(b.Root) {
		if part.Has(key.Key) {
			return g.lines("The key " + called + " is one of the " + part.Keys + ".")
		}
	}
	if d.Known(b.Root) {
		return fmt.Errorf("the key %s has no role here: its signature would count for nothing, so nothing was signed", called)
	}
	return g.lines("Whether the key " + called + " may sign this cannot be said: give the root with --root.")
}

// standing says how many signatures there are of how many.
func standing(d *sign.Document, b sign.Beside) []string {
	var lines []string
	parts := d.Parts(b.Root)
	for _, p := range parts {
		need := fmt.Sprintf("%d needed", p.Role.Threshold)
		if d.Approval != nil {
			need = "how many are needed stands in the limits"
		}
		lines = append(lines, fmt.Sprintf("Signatures by %s: %d of %d, %s.", p.Keys, len(p.Signed), len(p.Role.Keys), need))
	}
	if n := d.Others(parts); n > 0 && d.Known(b.Root) {
		lines = append(lines, fmt.Sprintf("Signatures on it that count for nothing: %d.", n))
	}
	return lines
}

// next says what is to be done with a document now.
func next(d *sign.Document, b sign.Beside, file string) string {
	if !d.Known(b.Root) {
		return "Without --root nobody can say whether more must sign. When all have: patchbay trust publish " + file
	}
	for _, p := range d.Parts(b.Root) {
		if n := p.Open(); n > 0 {
			text := fmt.Sprintf("Next: %d more of the %s. Give %s to whoever has one of", n, p.Keys, file)
			for _, name := range p.Missing {
				text += "\n  " + strings.TrimSpace(name+"  "+b.Names[name])
			}
			return text
		}
	}
	if d.Approval != nil {
		return "Next: when as many signed as the limits ask for, patchbay trust publish " + file
	}
	return "Next: nothing is missing. patchbay trust publish " + file
}

func (g *Globals) lines(lines ...string) error {
	_, err := fmt.Fprintln(g.Out, strings.Join(lines, "\n"))
	return err
}

func readDocument(file string) (*sign.Document, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	d, err := sign.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// readRoot reads a root that is signed by its own keys: a draft vouches for nobody.
func readRoot(file string) (wire.Root, error) {
	d, err := readDocument(file)
	if err != nil {
		return wire.Root{}, err
	}
	if d.Root == nil {
		return wire.Root{}, fmt.Errorf("%s is no root", file)
	}
	e := d.Envelope()
	r, err := trust.CheckRoot(&e)
	if err != nil {
		return r, fmt.Errorf("%s is not a root that holds: %w", file, err)
	}
	return r, nil
}

// writeDocument writes a document by one of the ways to write a file.
func writeDocument(file string, e wire.Envelope, write func(string, []byte) error) error {
	data, err := json.MarshalIndent(e, "", "  ")
	if err == nil {
		err = write(file, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}
