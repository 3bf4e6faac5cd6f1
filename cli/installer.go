package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"patchbay/patch"
	"patchbay/patch/nested"
	"patchbay/patch/signature"
)

// maxInstaller is the largest installer that is downloaded.
const maxInstaller = 8 << 30

// given is an installer that is here.
type given struct {
	path   string
	size   int64
	signer *patch.Signer
	why    string // there is none
	used   bool
}

// readInstaller reads off a file what a catalogue says of it. A signature that does not hold is
// an error: somebody changed the file.
func readInstaller(f *os.File) (*given, string, error) {
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err != nil {
		return nil, "", fmt.Errorf("reading an installer: %w", err)
	}
	g := &given{path: f.Name(), size: size}
	switch s, err := signature.Read(f, size); {
	case err == nil:
		g.signer = &s.Signer
	case errors.Is(err, signature.ErrUnsigned), errors.Is(err, signature.ErrKind):
		g.why = errors.Unwrap(err).Error()
	default:
		return nil, "", fmt.Errorf("%s: %w", f.Name(), err)
	}
	return g, hex.EncodeToString(h.Sum(nil)), nil
}

// readNested reads whose signature the file in an archive has, which is the one that is run.
func (g *given) readNested(name string) error {
	f, err := os.Open(g.path)
	if err != nil {
		return fmt.Errorf("reading an installer: %w", err)
	}
	defer f.Close()
	in, _, err := nested.Open(f, g.size, name)
	if err != nil {
		return fmt.Errorf("%s: %w", g.path, err)
	}
	defer in.Close()
	out, err := os.CreateTemp("", "patchbay-nested-")
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", g.path, err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("unpacking %s: %w", g.path, err)
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("unpacking %s: %w", g.path, err)
	}
	got, _, err := readInstaller(out)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", g.path, name, err)
	}
	g.signer, g.why = got.signer, got.why
	return nil
}

// download gets an installer from its maker, and keeps it only when it is the one that the
// manifest names.
func (c *CatalogPin) download(ctx context.Context, g *Globals, i patch.Installer) (*given, error) {
	path := filepath.Join(c.Into, i.SHA256+filepath.Ext(i.File))
	if f, err := os.Open(path); err == nil { // from before
		defer f.Close()
		got, sum, err := readInstaller(f)
		if err == nil && sum == i.SHA256 {
			return got, nil
		}
	}
	if err := g.lines("Downloading " + i.URL); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Into, 0o700); err != nil {
		return nil, fmt.Errorf("downloading: %w", err)
	}
	f, err := os.CreateTemp(c.Into, "part-")
	if err != nil {
		return nil, fmt.Errorf("downloading: %w", err)
	}
	defer os.Remove(f.Name()) // unless it was renamed
	defer f.Close()
	if err := fetch(ctx, i.URL, f); err != nil {
		return nil, fmt.Errorf("downloading %s: %w", i.URL, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("downloading: %w", err)
	}
	got, sum, err := readInstaller(f)
	if err != nil {
		return nil, err
	}
	if sum != i.SHA256 {
		return nil, fmt.Errorf("what %s gives is not what its manifest names: its SHA-256 is %s, not %s. Its maker may have replaced it; wait for the next manifest", i.URL, sum, i.SHA256)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, fmt.Errorf("downloading: %w", err)
	}
	got.path = path
	return got, nil
}

func fetch(ctx context.Context, address string, to io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Hour}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", res.Status)
	}
	n, err := io.Copy(to, io.LimitReader(res.Body, maxInstaller+1))
	if err == nil && n > maxInstaller {
		err = fmt.Errorf("it has more than %d bytes", int64(maxInstaller))
	}
	return err
}
