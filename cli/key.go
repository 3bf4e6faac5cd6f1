package cli

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"patchbay/patch"
	"patchbay/sign"
	"patchbay/wire"
)

// KeyCommand is about keys that no server has.
type KeyCommand struct {
	Init KeyInit `cmd:"" help:"Make the keys of root and publisher, and the first root."`
	New  KeyNew  `cmd:"" aliases:"approver" help:"Make one key, for an approver or to take a lost one's place. Also: key approver."`
	Show KeyShow `cmd:"" help:"Print the public lines of keys. Needs no passphrase."`
}

// KeyInit makes the first keys.
type KeyInit struct {
	Dir           string   `arg:"" help:"A folder that is not there yet."`
	RootKeys      int      `default:"2" help:"How many root keys."`
	RootThreshold int      `help:"How many of them must sign the next root; more than half of them by default."`
	Approver      []string `help:"Public line of an approver's key, or a file with it; repeat for more." sep:"none"`
	ServerKey     []string `help:"Public line of the server's key, or a file with it: patchbay server-key prints it." sep:"none"`
	Expires       string   `help:"Day on which the root ends, such as 2027-12-31; two years from now by default."`
	Passphrases
}

// Run makes them.
func (c *KeyInit) Run(g *Globals) error {
	if c.RootKeys < 1 || c.RootKeys > wire.MaxKeys {
		return fmt.Errorf("there can be 1 to %d root keys", wire.MaxKeys)
	}
	change, err := c.change(g)
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.Dir, 0o700); err != nil {
		return fmt.Errorf("making the folder for the keys: %w", err)
	}
	keys, public, err := c.makeKeys(g)
	if err != nil {
		_ = os.Remove(c.Dir) // when no key is in it yet: the next try makes it again
		return err
	}
	change.AddRoot, change.Publisher = public[:c.RootKeys], public[c.RootKeys:]
	d, err := c.firstRoot(g, change, keys[:c.RootKeys])
	if err != nil {
		return err
	}
	names := map[string]string{}
	var lines strings.Builder
	for _, p := range slices.Concat(public, change.AddApprover, change.Server) {
		names[p.Name()] = p.Comment
		lines.WriteString(p.String() + "\n")
	}
	if err := writeNew(filepath.Join(c.Dir, "keys.pub"), []byte(lines.String())); err != nil {
		return fmt.Errorf("writing the public lines: %w", err)
	}
	fmt.Fprint(g.Out, sign.Show(d, sign.Beside{Now: g.Now(), Names: names})+"\n")
	return g.lines(c.after()...)
}

// change is what the first root says beside its new keys.
func (c *KeyInit) change(g *Globals) (sign.RootChange, error) {
	change := sign.RootChange{RootThreshold: c.RootThreshold}
	if change.RootThreshold == 0 {
		change.RootThreshold = c.RootKeys/2 + 1
	}
	var err error
	if change.AddApprover, err = publicKeys(c.Approver); err != nil {
		return change, err
	}
	if change.Server, err = publicKeys(c.ServerKey); err != nil {
		return change, err
	}
	change.Expires, err = until(c.Expires, g.Now().AddDate(2, 0, 0))
	return change, err
}

func (c *KeyInit) makeKeys(g *Globals) (keys []wire.Key, public []sign.Public, err error) {
	in := bufio.NewReader(g.In)
	for i := range c.RootKeys + 1 {
		name := fmt.Sprintf("root-%d", i+1)
		if i == c.RootKeys {
			name = "publisher"
		}
		key, p, err := c.newKey(g, in, filepath.Join(c.Dir, name+".key"), name)
		if err != nil {
			return nil, nil, err
		}
		keys, public = append(keys, key), append(public, p)
	}
	return keys, public, nil
}

// firstRoot drafts and signs version 1.
func (c *KeyInit) firstRoot(g *Globals, change sign.RootChange, keys []wire.Key) (*sign.Document, error) {
	r, err := sign.FirstRoot(patch.NewID("inst"), change, g.Now())
	if err != nil {
		return nil, err
	}
	d, err := drafted(wire.RootDocument, r)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if err := d.Sign(key); err != nil {
			return nil, err
		}
	}
	return d, writeDocument(filepath.Join(c.Dir, "root-v1.json"), d.Envelope(), writeNew)
}

func (c *KeyInit) after() []string {
	root := filepath.Join(c.Dir, "root-v1.json")
	return []string{
		"Made in " + c.Dir + ": " + english.Plural(c.RootKeys, "root key", "") + ", the publisher's key, keys.pub with their public lines, and root-v1.json, signed.",
		"Next:",
		"1. Copy each root key to two sticks that lie in different places, each root key with another person. Then delete them here.",
		"2. Keep publisher.key on the machine where limits are signed, and a copy on a stick. No key belongs on the server.",
		"3. Publish the root: patchbay trust publish " + root,
		"4. Draft limits: patchbay limits draft limits-v1.json --root " + root + " --add-source PROVIDER:ORIGIN --devices-per-hour N --fleet N --approvals N --forced N",
	}
}

// KeyNew makes one key.
type KeyNew struct {
	File string `arg:"" help:"Where to write it."`
	Name string `required:"" help:"Whose it is, for people."`
	Passphrases
}

// Run makes it and prints its public line.
func (c *KeyNew) Run(g *Globals) error {
	_, p, err := c.newKey(g, bufio.NewReader(g.In), c.File, c.Name)
	if err != nil {
		return err
	}
	return g.lines(p.String())
}

// KeyShow prints public lines.
type KeyShow struct {
	File []string `arg:"" help:"Key files."`
}

// Run prints them.
func (c *KeyShow) Run(g *Globals) error {
	for _, file := range c.File {
		p, err := publicKey(file)
		if err != nil {
			return err
		}
		if err := g.lines(p.String()); err != nil {
			return err
		}
	}
	return nil
}

// until reads the day on which something ends: at its first moment, by UTC.
func until(day string, otherwise time.Time) (time.Time, error) {
	if day == "" {
		return otherwise.UTC().Truncate(24 * time.Hour), nil
	}
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return t, fmt.Errorf("reading the day %q: it must look like 2027-12-31", day)
	}
	return t, nil
}

// drafted is a document that nobody signed yet, read back as it will be signed.
func drafted(docType string, content any) (*sign.Document, error) {
	e, err := wire.Draft(docType, content)
	if err != nil {
		return nil, err
	}
	return sign.Parse(e)
}
