package cli

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/catalog/feeds"
	"patchbay/server/view"
	"patchbay/sign"
	"patchbay/wire"
)

// FeedStatus says how it is with the feeds.
type FeedStatus struct {
	Data string `help:"Look into the folder of a server's data instead of asking a server." type:"existingdir" placeholder:"FOLDER"`
}

// Run prints a line for each.
func (s *FeedStatus) Run(ctx context.Context, g *Globals) error {
	v := view.Page[view.Feed]{Items: []view.Feed{}, AsOf: g.Now()}
	if s.Data != "" {
		all, err := feeds.Look(filepath.Join(s.Data, "feeds"), v.AsOf)
		if err != nil {
			return err
		}
		for _, f := range all {
			v.Items = append(v.Items, api.FeedView(f, v.AsOf))
		}
		v.Total = len(v.Items)
	} else {
		c, err := g.connect()
		if err != nil {
			return err
		}
		if v, err = client.List[view.Feed](ctx, c, "/feeds", nil, 0); err != nil {
			return err
		}
	}
	return g.show(v, func(t *table) { feedRows(t, v.Items) })
}

func feedRows(t *table, all []view.Feed) {
	t.row("FEED", "STANDING", "NEWEST", "RECORDS", "CHANGE", "SIZE", "")
	for _, f := range all {
		var records, change, size any = "-", "-", "-"
		if v := f.Version; v != nil {
			records, size = v.Records, bytesOf(v.Size)
			change = fmt.Sprintf("+%d -%d ~%d", v.Added, v.Removed, v.Changed)
		}
		t.row(f.Name, f.Standing, f.FreshAt, records, change, size, feedNote(f))
	}
	if len(all) == 0 {
		t.row("There are no feeds: the server was started with --feeds none, and nothing was imported.")
	}
}

// feedNote is what else is to be said of a feed.
func feedNote(f view.Feed) string {
	var notes []string
	if f.Busy {
		notes = append(notes, "It is being got.")
	}
	if f.Held != nil {
		notes = append(notes, "Held: "+f.Why)
	}
	if f.Error != nil {
		notes = append(notes, f.Error.Sentence)
	}
	if v := f.Version; v != nil && v.Refused > 0 {
		notes = append(notes, fmt.Sprintf("%d records were refused.", v.Refused))
	}
	return strings.Join(notes, " ")
}

// FeedFetch has a feed looked for.
type FeedFetch struct {
	Feed string `arg:"" help:"Name of the feed."`
}

// Run asks for it.
func (f *FeedFetch) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Send[view.Feed](ctx, c, http.MethodPost, "/feeds/"+url.PathEscape(f.Feed)+"/fetch", nil)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { feedRows(t, []view.Feed{v}) })
}

// FeedAccept lets a version in that is held.
type FeedAccept struct {
	Feed    string `arg:"" help:"Name of the feed."`
	Version string `help:"SHA-256 of the version, to be sure that it is the one that was looked at. Left out, the one that is held now, after a question."`
}

// Run shows what is held, asks, and lets it in.
func (a *FeedAccept) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	version := strings.ToLower(a.Version)
	if version == "" {
		if version, err = a.ask(ctx, g, c); err != nil {
			return err
		}
	}
	v, err := client.Send[view.Feed](ctx, c, http.MethodPost, "/feeds/"+url.PathEscape(a.Feed)+"/accept", map[string]string{"sha256": version})
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { feedRows(t, []view.Feed{v}) })
}

// ask shows the version that is held, and gives it when the person wants it.
func (a *FeedAccept) ask(ctx context.Context, g *Globals, c *client.Client) (string, error) {
	all, err := client.List[view.Feed](ctx, c, "/feeds", nil, 0)
	if err != nil {
		return "", err
	}
	for _, f := range all.Items {
		if f.Name != a.Feed {
			continue
		}
		if f.Held == nil {
			return "", errors.New(f.Can.Accept)
		}
		fmt.Fprintln(g.Out, visible(fmt.Sprintf("%s: %s The version that came on %s has %d records, of which %d are new.", f.Name, f.Why,
			f.Held.FetchedAt.UTC().Format("2006-01-02 15:04 UTC"), f.Held.Records, f.Held.Added)))
		answer, err := ask(g, bufio.NewReader(g.In), "Let it in? Type yes: ")
		if err == nil && strings.TrimSpace(answer) != "yes" {
			err = errors.New("nothing was changed")
		}
		return f.Held.SHA256, err
	}
	return "", fmt.Errorf("the server has no feed %s", a.Feed)
}

// FeedExport writes feeds into a bundle.
type FeedExport struct {
	File  string   `arg:"" help:"File to make. One that is there is not written over." type:"path"`
	Feeds []string `arg:"" optional:"" name:"feed" help:"Feeds to take; left out, all of which something holds."`
	Data  string   `help:"Folder of the server's data." default:"/var/lib/patchbay" env:"PATCHBAY_DATA" type:"path"`
}

// Run writes it. It is signed afterwards, where the key is.
func (e *FeedExport) Run(ctx context.Context, g *Globals) error {
	var m feeds.Manifest
	err := newFile(e.File, func(out io.Writer) (err error) {
		m, err = feeds.Export(ctx, filepath.Join(e.Data, "feeds"), e.Feeds, g.Now(), out)
		return err
	})
	if err != nil {
		return fmt.Errorf("exporting feeds: %w", err)
	}
	return g.lines(fmt.Sprintf("%s holds %d feeds, %s. Nobody has signed it yet, and no server takes it so.", e.File, len(m.Feeds), bytesOf(m.Size())),
		"Next, where the key of a publisher is: patchbay catalog seal "+e.File+" --with KEY")
}

// newFile writes a file whole, or none. One that is there stays.
func newFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// FeedSeal signs a bundle.
type FeedSeal struct {
	File string `arg:"" help:"The bundle." type:"existingfile"`
	With string `help:"File with the key that signs. Left out, it is only said what is in the bundle." placeholder:"KEY"`
	Root string `help:"The root that holds: who may sign."`
	Yes  bool   `help:"Do not ask."`
	Passphrases
}

// Run shows what is in the bundle, asks, and writes it anew with the signature.
func (s *FeedSeal) Run(ctx context.Context, g *Globals) error {
	in, err := os.Open(s.File)
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	defer in.Close()
	part := s.File + ".part"
	shown := errors.New("only shown")
	err = newFile(part, func(out io.Writer) error {
		return feeds.Resign(ctx, in, out, func(m feeds.Manifest, e *wire.Envelope) error {
			if err := g.lines(bundleLines(m, *e)...); err != nil {
				return err
			}
			if s.With == "" {
				return shown
			}
			return s.seal(g, e)
		})
	})
	if errors.Is(err, shown) {
		return g.lines("Only shown, not signed: to sign it, add --with and the file of a key.")
	}
	if err != nil {
		return fmt.Errorf("signing the bundle: %w", err)
	}
	in.Close() // before it is replaced, which Windows wants
	if err := os.Rename(part, s.File); err != nil {
		return errors.Join(fmt.Errorf("signing the bundle: %w", err), os.Remove(part))
	}
	return g.lines("Signed. Next, once as many have signed as the root asks for: patchbay catalog import " + s.File)
}

func (s *FeedSeal) seal(g *Globals, e *wire.Envelope) error {
	f, err := readKeyFile(s.With)
	if err != nil {
		return err
	}
	if s.Root != "" {
		root, err := readRoot(s.Root)
		if err != nil {
			return err
		}
		if !(sign.Part{Role: root.Publisher}).Has(ed25519.PublicKey(f.Public.Key)) {
			return fmt.Errorf("the key %s is none of the publishers of this root: its signature would count for nothing", f.Public.Name())
		}
	}
	in := bufio.NewReader(g.In)
	if !s.Yes {
		answer, err := ask(g, in, "Sign this? Type yes: ")
		if err != nil {
			return err
		}
		if strings.TrimSpace(answer) != "yes" {
			return errors.New("nothing was signed")
		}
	}
	key, err := s.openKey(g, in, s.With)
	if err != nil {
		return err
	}
	return e.Sign(key)
}

// bundleLines say what is in a bundle.
func bundleLines(m feeds.Manifest, e wire.Envelope) []string {
	lines := []string{fmt.Sprintf("A bundle of %d feeds, %s, made on %s, with %d signatures. Whoever signs it says: this is what publishers had.",
		len(m.Feeds), bytesOf(m.Size()), m.MadeAt.UTC().Format("2006-01-02 15:04 UTC"), len(e.Signatures))}
	for _, f := range m.Feeds {
		var size int64
		for _, file := range f.Files {
			size += file.Size
		}
		lines = append(lines, visible(fmt.Sprintf("  %s (%s): %d records, %d files, %s, newest as of %s", f.Name, f.Kind, f.Records, len(f.Files), bytesOf(size),
			f.FreshAt.UTC().Format("2006-01-02 15:04 UTC"))))
	}
	return lines
}

// FeedImport brings a bundle to a server.
type FeedImport struct {
	File string `arg:"" help:"The signed bundle." type:"existingfile"`
}

// Run sends it, and says what became of each feed.
func (i *FeedImport) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	f, err := os.Open(i.File)
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	v, err := client.Upload[api.FeedImports](ctx, c, "/feeds/bundle", nil, f, info.Size())
	if err != nil {
		return fmt.Errorf("importing the bundle: %w", err)
	}
	if err := g.show(v, func(t *table) {
		t.row("FEED", "OUTCOME", "RECORDS", "")
		for _, one := range v.Items {
			t.row(one.Name, one.Outcome, one.Records, one.Why)
		}
	}); err != nil {
		return err
	}
	if v.Broken != "" {
		return errors.New(v.Broken)
	}
	return nil
}
