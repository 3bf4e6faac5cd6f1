package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/view"
)

// Content is about the files that agents install from.
type Content struct {
	List   ContentList   `cmd:"" default:"1" help:"List files, and how much room they take."`
	Add    ContentAdd    `cmd:"" help:"Add files."`
	Fetch  ContentFetch  `cmd:"" help:"Have the server fetch a file from the internet."`
	Remove ContentRemove `cmd:"" help:"Remove a file that nothing needs."`
}

// ContentList lists them.
type ContentList struct {
	Query   string `short:"q" help:"Text to look for."`
	Missing bool   `help:"Only files that are known and not here, as after a restore."`
	Limit   int    `default:"100" help:"Show at most so many; 0 shows all."`
}

// listed is the list with how much room there is, for programs.
type listed struct {
	view.Page[view.Content]
	Usage   view.ContentUsage   `json:"usage"`
	Fetches []view.ContentFetch `json:"fetches"`
}

// Run prints them.
func (l *ContentList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	query := url.Values{"q": {l.Query}}
	if l.Missing {
		query.Set("state", "missing")
	}
	var v listed
	if v.Page, err = client.List[view.Content](ctx, c, "/content", query, l.Limit); err != nil {
		return err
	}
	if v.Usage, err = client.Get[view.ContentUsage](ctx, c, "/content/usage", nil); err != nil {
		return err
	}
	fetches, err := client.Get[api.ContentFetches](ctx, c, "/content/fetches", nil)
	if err != nil {
		return err
	}
	v.Fetches = fetches.Items
	return g.show(v, func(t *table) { contentRows(t, v) })
}

func contentRows(t *table, v listed) {
	t.row("SHA-256", "NAME", "SIZE", "USED", "NEEDED")
	for _, c := range v.Items {
		needed := c.Needed.Sentence
		if c.State == "missing" {
			needed = strings.TrimSpace("Its file is not here: add it or fetch it again. " + needed)
		}
		t.row(c.SHA256, c.Name, bytesOf(c.Size), c.UsedAt, needed)
	}
	t.total(len(v.Items), v.Total)
	for _, f := range v.Fetches {
		if f.State != "done" {
			t.row(f.SHA256, f.Name, bytesOf(f.Received)+" of "+bytesOf(f.Size), f.State, f.Error)
		}
	}
	u := v.Usage
	t.row(fmt.Sprintf("%d files, %s of %s; %s are needed", u.Files, bytesOf(u.Used), bytesOf(u.Budget), bytesOf(u.Needed)))
}

// bytesOf is a size as people read it.
func bytesOf(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// ContentAdd adds files.
type ContentAdd struct {
	Files []string `arg:"" name:"file" type:"existingfile" help:"Files to add."`
}

// Run hashes each file, and sends those that the server does not have.
func (a *ContentAdd) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	added := []view.Content{}
	for _, name := range a.Files {
		v, err := addFile(ctx, c, name)
		if err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
		added = append(added, v)
	}
	return g.show(added, func(t *table) {
		for _, v := range added {
			t.row(v.SHA256, v.Name, bytesOf(v.Size))
		}
	})
}

func addFile(ctx context.Context, c *client.Client, name string) (view.Content, error) {
	f, err := os.Open(name)
	if err != nil {
		return view.Content{}, err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return view.Content{}, err
	}
	path := "/content/" + hex.EncodeToString(sum.Sum(nil))
	if v, err := client.Get[view.Content](ctx, c, path, nil); err == nil && v.State == "here" {
		return v, nil
	}
	return client.Upload[view.Content](ctx, c, path, url.Values{"name": {filepath.Base(name)}}, f, size)
}

// ContentFetch has the server fetch a file.
type ContentFetch struct {
	URL    string `arg:"" help:"Where it is; https only."`
	SHA256 string `arg:"" name:"sha256" help:"Its SHA-256."`
	Name   string `help:"What the file is called; taken from the address when left out."`
	NoWait bool   `help:"Do not wait until it is there."`
}

// Run asks for it, and waits.
func (f *ContentFetch) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	hash := strings.ToLower(f.SHA256)
	v, err := client.Send[view.ContentFetch](ctx, c, http.MethodPost, "/content/"+url.PathEscape(hash)+"/fetch", api.FetchIn{URL: f.URL, Name: f.Name})
	if err != nil {
		return err
	}
	for !f.NoWait && v.EndedAt == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		if v, err = fetchOf(ctx, c, hash); err != nil {
			return err
		}
	}
	if v.State == "failed" {
		return errors.New(v.Error)
	}
	return g.show(v, func(t *table) { t.row(v.SHA256, v.Name, v.State, bytesOf(v.Received)) })
}

func fetchOf(ctx context.Context, c *client.Client, hash string) (view.ContentFetch, error) {
	all, err := client.Get[api.ContentFetches](ctx, c, "/content/fetches", nil)
	if err != nil {
		return view.ContentFetch{}, err
	}
	for _, v := range all.Items {
		if v.SHA256 == hash {
			return v, nil
		}
	}
	return view.ContentFetch{}, errors.New("the server no longer knows of this fetch: it was restarted; ask again, and it goes on where it broke off")
}

// ContentRemove removes a file.
type ContentRemove struct {
	SHA256 string `arg:"" name:"sha256" help:"Its SHA-256."`
}

// Run removes it.
func (r *ContentRemove) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	if _, err := client.Send[struct{}](ctx, c, http.MethodDelete, "/content/"+url.PathEscape(strings.ToLower(r.SHA256)), nil); err != nil {
		return err
	}
	return g.say("Removed.")
}
