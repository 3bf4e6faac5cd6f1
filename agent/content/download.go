package content

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"time"

	"patchbay/agent/link"
	"patchbay/provider"
)

// download gets a file, and gives it its name when it is whole and right. What is here of it
// from before is gone on with; where that was not of this file, all of it is got anew, once.
func (c *Cache) download(ctx context.Context, sha256 string, size int64) error {
	if err := c.makeRoom(sha256, size); err != nil {
		return err
	}
	for {
		d, err := c.begin(ctx, sha256, size)
		if err != nil {
			return err
		}
		resumed := d.at > 0
		err = d.run(ctx)
		if err = errors.Join(err, d.out.Close()); err != nil {
			return d.told(ctx, err)
		}
		if hex.EncodeToString(d.sum.Sum(nil)) == sha256 {
			return c.finish(d)
		}
		if err := c.Folder.Remove(sha256 + partEnd); err != nil {
			return fmt.Errorf("removing what is not the file: %w", err)
		}
		if !resumed {
			return fmt.Errorf("%w: what the server sent has another hash than the file that was signed for", provider.ErrRefused)
		}
		c.Log.Warn("a download that went on did not become the file, and is begun anew", "sha256", sha256)
	}
}

// running is a download.
type running struct {
	*Cache
	sha256 string
	size   int64
	out    Writer
	sum    hash.Hash
	at     int64 // bytes that are here
	synced int64
	head   []byte
}

// begin takes up what is here of a file.
func (c *Cache) begin(ctx context.Context, sha256 string, size int64) (*running, error) {
	d := &running{Cache: c, sha256: sha256, size: size}
	name := sha256 + partEnd
	part, err := c.Folder.Stat(name)
	switch {
	case err == nil && part.Size <= size:
		d.at = part.Size
	case err == nil: // more than there can be
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("going on with a file: %w", err)
	}
	if err := d.take(ctx, name); err != nil {
		return nil, fmt.Errorf("going on with a file: %w", err)
	}
	if d.out, err = c.Folder.Append(name, d.at); err != nil {
		return nil, fmt.Errorf("keeping a file: %w", err)
	}
	d.synced = d.at
	return d, nil
}

// take hashes what is here.
func (d *running) take(ctx context.Context, name string) error {
	d.sum = newHash()
	if d.at == 0 {
		return nil
	}
	f, err := d.Folder.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	d.head = make([]byte, min(8, d.at))
	if _, err := f.ReadAt(d.head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return hashInto(ctx, d.sum, f, d.at)
}

// run gets what is missing, and goes on where it breaks off as long as more of it comes.
func (d *running) run(ctx context.Context) error {
	for failed, before := 0, d.at; d.at < d.size; {
		err := d.once(ctx)
		if err == nil {
			continue
		}
		var disk *diskError
		var busy link.Overload
		if ctx.Err() != nil || errors.As(err, &disk) || errors.As(err, &busy) || errors.Is(err, provider.ErrRefused) ||
			errors.Is(err, link.ErrNoFile) || errors.Is(err, link.ErrRefused) || errors.Is(err, link.ErrCertificate) {
			return err
		}
		if failed++; d.at > before {
			failed, before = 1, d.at
		}
		if failed >= tries {
			return err
		}
		wait := time.NewTimer(d.Pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
	}
	return d.sync()
}

// once asks for what is missing, and takes what comes.
func (d *running) once(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(stall, func() { cancel(errors.New("nothing more came for a minute")) })
	defer idle.Stop()
	p, err := d.Source.Content(ctx, d.sha256, d.at)
	if errors.Is(err, link.ErrShorter) || err == nil && p.Size != d.size {
		if err == nil {
			p.Body.Close()
		}
		return fmt.Errorf("%w: the server's file has another size than the one that was signed for", provider.ErrRefused)
	}
	if err != nil {
		return why(ctx, err)
	}
	defer p.Body.Close()
	if p.From != d.at { // all of it comes
		if err := d.restart(); err != nil {
			return err
		}
	}
	buf := make([]byte, chunk)
	for d.at < d.size {
		n, err := p.Body.Read(buf[:min(chunk, d.size-d.at)])
		idle.Reset(stall)
		if n > 0 {
			if err := d.write(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil && d.at < d.size {
			return why(ctx, fmt.Errorf("the connection broke off: %w", err))
		}
	}
	return nil
}

// why is what ended a context, where that is what an error is about.
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// diskError is a failure of this machine, which asking the server again does not mend.
type diskError struct{ error }

// Unwrap gives what it is about.
func (e *diskError) Unwrap() error { return e.error }

func (d *running) write(p []byte) error {
	if _, err := d.out.Write(p); err != nil {
		return &diskError{fmt.Errorf("keeping a file: %w", err)}
	}
	if len(d.head) < 8 {
		d.head = append(d.head, p[:min(len(p), 8-len(d.head))]...)
	}
	d.sum.Write(p)
	if d.at += int64(len(p)); d.at-d.synced >= syncEvery {
		return d.sync()
	}
	return nil
}

func (d *running) sync() error {
	if err := d.out.Sync(); err != nil {
		return &diskError{fmt.Errorf("keeping a file: %w", err)}
	}
	d.synced = d.at
	return nil
}

// restart drops what is here.
func (d *running) restart() error {
	err := d.out.Close()
	if err == nil {
		d.out, err = d.Folder.Append(d.sha256+partEnd, 0)
	}
	if err != nil {
		return &diskError{fmt.Errorf("keeping a file: %w", err)}
	}
	d.at, d.synced, d.head = 0, 0, nil
	d.sum.Reset()
	return nil
}

// told makes an error of a download one that the agent acts on.
func (d *running) told(ctx context.Context, err error) error {
	var disk *diskError
	if ctx.Err() != nil || errors.As(err, &disk) || errors.Is(err, provider.ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %s of %s of the file are here: %w", provider.ErrOffline, amount(d.at), amount(d.size), err)
}

// finish gives a whole file its name.
func (c *Cache) finish(d *running) error {
	if err := c.Folder.Rename(d.sha256+partEnd, d.sha256+endOf(d.head)); err != nil {
		return fmt.Errorf("keeping a file: %w", err)
	}
	c.Log.Info("a file to install from is here", "sha256", d.sha256, "size", d.size)
	return nil
}
