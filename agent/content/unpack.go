package content

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"patchbay/patch/nested"
	"patchbay/provider"
)

// Unpack gives the one file of an open archive that has a name. It is kept by its own hash, as
// a file that was fetched is, and given as such: opened so that nobody can change it, and read
// to its end on that handle.
func (c *Cache) Unpack(ctx context.Context, archive provider.File, name string) (provider.File, error) {
	for again := false; ; again = true {
		hash, size, err := c.unpack(ctx, archive, name)
		if err != nil {
			return nil, err
		}
		f, err := c.give(ctx, hash, size)
		if err == nil || again || !errors.Is(err, provider.ErrRefused) {
			return f, err
		}
		if held, ok := c.find(hash); ok { // from before, and damaged since
			if err := c.Folder.Remove(held.Name); err != nil {
				return nil, fmt.Errorf("removing a damaged file: %w", err)
			}
		}
	}
}

func (c *Cache) unpack(ctx context.Context, archive provider.File, name string) (hash string, size int64, err error) {
	select {
	case c.work <- struct{}{}:
		defer func() { <-c.work }()
	case <-ctx.Done():
		return "", 0, ctx.Err()
	}
	from, size, err := nested.Open(archive, archive.Size(), name)
	if err != nil {
		return "", 0, fmt.Errorf("%w: %w", provider.ErrRefused, err)
	}
	defer from.Close()
	sum := newHash()
	fmt.Fprintf(sum, "%s/%s", archive.Path(), name)
	d := &running{Cache: c, sha256: hex.EncodeToString(sum.Sum(nil)), size: size, sum: newHash()} // a name that no download has
	if err := c.makeRoom(d.sha256, size); err != nil {
		return "", 0, err
	}
	if d.out, err = c.Folder.Append(d.sha256+partEnd, 0); err != nil {
		return "", 0, fmt.Errorf("keeping a file: %w", err)
	}
	err = d.copy(ctx, from)
	if err = errors.Join(err, d.out.Close()); err != nil {
		return "", 0, errors.Join(fmt.Errorf("unpacking %.80q: %w", name, err), c.Folder.Remove(d.sha256+partEnd))
	}
	hash = hex.EncodeToString(d.sum.Sum(nil))
	if held, ok := c.find(hash); ok && held.Size == size { // it may be open
		return hash, size, c.Folder.Remove(d.sha256 + partEnd)
	}
	if err := c.Folder.Rename(d.sha256+partEnd, hash+endOf(d.head)); err != nil {
		return "", 0, fmt.Errorf("keeping a file: %w", err)
	}
	return hash, size, nil
}

// copy takes exactly the bytes that were announced.
func (d *running) copy(ctx context.Context, from io.Reader) error {
	buf := make([]byte, chunk)
	for ctx.Err() == nil {
		n, err := from.Read(buf)
		if d.at+int64(n) > d.size {
			return fmt.Errorf("%w: it is longer than its archive says", provider.ErrRefused)
		}
		if err := d.write(buf[:n]); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF) && d.at == d.size:
			return d.sync()
		case errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
			fallthrough
		case err != nil:
			return fmt.Errorf("%w: %w", provider.ErrRefused, err)
		}
	}
	return ctx.Err()
}
