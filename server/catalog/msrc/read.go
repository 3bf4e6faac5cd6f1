package msrc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// The bounds of what is read: several times the largest real document.
const (
	maxBytes  = 64 << 20 // of one document, unpacked
	maxPart   = 4 << 20  // of what is said of one vulnerability
	maxFixes  = 500_000
	maxNames  = 20_000 // products of one document
	maxText   = 1 << 10
	maxMonths = 1000 // documents known at once
)

// Open reads a file.
func Open(name string) (Document, error) {
	f, err := os.Open(name)
	if err != nil {
		return Document{}, fmt.Errorf("reading a security document: %w", err)
	}
	defer f.Close()
	return Read(filepath.Base(name), f)
}

// Read reads one document or table, packed with gzip or not. A document is taken as a whole
// or, when it is cut short or is none, not at all.
func Read(name string, r io.Reader) (Document, error) {
	d, err := read(name, r)
	if err != nil {
		return Document{}, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

func read(name string, r io.Reader) (Document, error) {
	in := bufio.NewReader(r)
	head, err := in.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return Document{}, err
	}
	if bytes.Equal(head, []byte{0x1f, 0x8b}) {
		gz, err := gzip.NewReader(in)
		if err != nil {
			return Document{}, fmt.Errorf("it is damaged: %w", err)
		}
		in = bufio.NewReader(gz)
	}
	m := &meter{in: in, left: maxBytes}
	whole := bufio.NewReader(m)
	first, err := firstLetter(whole)
	switch {
	case err != nil:
		return Document{}, fmt.Errorf("it is empty, or damaged: %w", err)
	case first == '<':
		return readCVRF(whole)
	case first == '[':
		return readTable(name, whole)
	}
	return Document{}, errors.New("it is neither a security document (XML) nor a table of CVEs and KBs (JSON)")
}

// firstLetter skips a byte order mark and spaces.
func firstLetter(r *bufio.Reader) (byte, error) {
	if mark, _ := r.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		if _, err := r.Discard(3); err != nil {
			return 0, err
		}
	}
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(b)) {
			return b, r.UnreadByte()
		}
	}
}

// meter ends a stream that has more bytes than it may.
type meter struct {
	in   io.Reader
	left int64
}

var errTooLarge = errors.New("it, or a part of it, is larger than any real one")

// Read reads on as long as it may.
func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTooLarge
	}
	n, err := m.in.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, err
}

var monthInName = regexp.MustCompile(`\d{4}-[A-Z][a-z]{2}`)

// add takes a row for each of its products.
func (d *Document) add(f Fix, products []string, more func(product string, f *Fix)) error {
	switch {
	case !cveForm.MatchString(f.CVE):
		d.leave(NoCVE)
		return nil
	case !kbForm.MatchString(f.KB):
		d.leave(NoKB)
		return nil
	case len(products) == 0:
		d.leave(NoProduct)
		return nil
	}
	for _, p := range products {
		if len(p) > maxText {
			d.leave(TooManyLetters)
			return nil
		}
	}
	d.Rows++
	d.Taken++
	if len(d.Fixes)+len(products) > maxFixes {
		return fmt.Errorf("it has more than %d fixes", maxFixes)
	}
	f.Document = d.ID
	for _, p := range products {
		f.Product = p
		if more != nil {
			more(p, &f)
		}
		if f.Build == (Build{}) {
			d.Buildless++
		}
		d.Fixes = append(d.Fixes, f)
	}
	return nil
}

func (d *Document) leave(why Reason) {
	d.Rows++
	if d.LeftOut == nil {
		d.LeftOut = map[Reason]int{}
	}
	d.LeftOut[why]++
}
