package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"patchbay/server/store"
)

// reader reads a backup from front to back.
type reader struct {
	header Header
	read   Manifest // what came so far
	files  []File

	packed *gzip.Reader
	below  *bufio.Reader // what packed reads from
	tar    *tar.Reader
	total  int64
	member *tar.Header // of the database, being read
	table  string
	sum    hash.Hash
	lines  *bufio.Reader
	ended  bool
}

// newReader reads the header. in is decrypted.
func newReader(in io.Reader) (*reader, error) {
	r := &reader{read: Manifest{Rows: map[string]int64{}}, below: bufio.NewReader(in)}
	var err error
	if r.packed, err = gzip.NewReader(r.below); err != nil {
		return nil, damaged(err)
	}
	r.packed.Multistream(false)
	r.tar = tar.NewReader(r.packed)
	m, err := r.next()
	if err != nil {
		return nil, err
	}
	if m.Name != headerName {
		return nil, fmt.Errorf("%w: it begins with %.60q", ErrNotBackup, m.Name)
	}
	data, err := r.whole(m, mostHeader)
	if err != nil {
		return nil, err
	}
	r.header, err = ParseHeader(data)
	return r, err
}

// damaged adds what the reading of a torn or changed file ran into.
func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrDamaged)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// next goes to the next member, if that may be there.
func (r *reader) next() (*tar.Header, error) {
	m, err := r.tar.Next()
	if err != nil {
		return nil, damaged(err)
	}
	r.total += m.Size
	switch {
	case m.Typeflag != tar.TypeReg || len(m.PAXRecords) > 0:
		return nil, fmt.Errorf("%w: its part %.60q is no plain file", ErrDamaged, m.Name)
	case m.Name != manifestName && !goodName(m.Name):
		return nil, fmt.Errorf("%w: a part is called %.60q", ErrDamaged, m.Name)
	case m.Size > mostPiece || r.total > mostTotal || len(r.read.Members) > mostMembers:
		return nil, fmt.Errorf("%w: its part %.60q is larger than any backup's", ErrDamaged, m.Name)
	}
	return m, nil
}

// whole reads a small member.
func (r *reader) whole(m *tar.Header, most int64) ([]byte, error) {
	if m.Size > most {
		return nil, fmt.Errorf("%w: its part %.60q has %d bytes, and at most %d are read", ErrDamaged, m.Name, m.Size, most)
	}
	data, err := io.ReadAll(io.LimitReader(r.tar, most))
	if err != nil {
		return nil, damaged(err)
	}
	sum := sha256.Sum256(data)
	r.note(m, sum[:])
	return data, nil
}

func (r *reader) note(m *tar.Header, sum []byte) {
	r.read.Members = append(r.read.Members, Member{m.Name, m.Size, hex.EncodeToString(sum)})
}

// line gives the next line of the database. io.EOF says that all of them came, and with them
// everything else, and that it is all as it was written: before that, nothing is sure.
func (r *reader) line() (store.Line, error) {
	for !r.ended {
		if r.member == nil {
			if err := r.advance(); err != nil {
				return store.Line{}, err
			}
			continue
		}
		text, err := r.text()
		if err != nil {
			return store.Line{}, err
		}
		if text != nil {
			return store.Line{Table: r.table, Text: text}, nil
		}
		r.note(r.member, r.sum.Sum(nil))
		r.member = nil
	}
	return store.Line{}, io.EOF
}

// text is the next line of the member, nil at its end.
func (r *reader) text() ([]byte, error) {
	var line []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			r.read.Rows[r.table]++
			return line[:len(line)-1], nil
		case len(line) > mostLine:
			return nil, fmt.Errorf("%w: a row of table %s is larger than any can be", ErrDamaged, r.table)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, nil
		default:
			return nil, damaged(err)
		}
	}
}

// advance goes on to the next member: a piece of the database, a key file, or the list.
func (r *reader) advance() error {
	m, err := r.next()
	if err != nil {
		return err
	}
	kind, rest, _ := strings.Cut(m.Name, "/")
	switch kind {
	case databaseDir:
		if len(r.files) > 0 {
			break
		}
		r.begin(m, rest)
		return nil
	case keysDir, acmeDir:
		data, err := r.whole(m, mostFile)
		if err == nil && len(r.files) >= mostFiles {
			err = fmt.Errorf("%w: it has more key files than any backup", ErrDamaged)
		}
		for _, f := range r.files {
			if err == nil && f.Name == m.Name {
				err = fmt.Errorf("%w: it has %s twice", ErrDamaged, m.Name)
			}
		}
		r.files = append(r.files, File{m.Name, bytes.Clone(data)})
		return err
	case manifestName:
		return r.end(m)
	}
	return fmt.Errorf("%w: its part %.60q is out of place", ErrDamaged, m.Name)
}

// begin starts a piece of the database.
func (r *reader) begin(m *tar.Header, rest string) {
	table, _, _ := strings.Cut(rest, "/")
	if table != r.table {
		r.table = table
		r.read.Rows[table]-- // the names of its columns
	}
	r.member, r.sum = m, sha256.New()
	r.lines = bufio.NewReaderSize(io.TeeReader(r.tar, r.sum), 64<<10)
}

// end compares all that came with the list, and holds that nothing follows it.
func (r *reader) end(m *tar.Header) error {
	data, err := io.ReadAll(io.LimitReader(r.tar, mostManifest))
	if err != nil {
		return damaged(err)
	}
	if int64(len(data)) != m.Size {
		return fmt.Errorf("%w: its list of contents is larger than any backup's", ErrDamaged)
	}
	listed, err := ParseManifest(data)
	if err != nil {
		return err
	}
	if err := listed.agrees(r.read.Members, r.read.Rows); err != nil {
		return err
	}
	if _, err := r.tar.Next(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows its list of contents", ErrDamaged)
	}
	// What is left in the packed stream is the end of the tar; reading it checks the sum of everything.
	if n, err := io.Copy(io.Discard, io.LimitReader(r.packed, 1<<20)); err != nil || n == 1<<20 {
		return damaged(errors.Join(err, errors.New("something follows its end")))
	}
	if _, err := r.below.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged(fmt.Errorf("something follows its end, or cannot be read: %v", err))
	}
	r.ended = true
	return nil
}
