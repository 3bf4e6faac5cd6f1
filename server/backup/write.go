package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"patchbay/server/store"
)

// writer writes the members of a backup one after the other.
type writer struct {
	packed *gzip.Writer
	tar    *tar.Writer
	at     time.Time
	list   Manifest

	table  string       // whose lines are in the buffer
	number int          // of its piece
	buffer bytes.Buffer // lines that are not written yet
}

// newWriter begins a backup with its header.
func newWriter(out io.Writer, h Header) (*writer, error) {
	packed := gzip.NewWriter(out)
	w := &writer{packed: packed, tar: tar.NewWriter(packed), at: h.TakenAt, list: Manifest{Rows: map[string]int64{}}}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return w, w.member(headerName, head)
}

// member writes one part and remembers its hash.
func (w *writer) member(name string, data []byte) error {
	if name != manifestName && !goodName(name) {
		return fmt.Errorf("a part cannot be called %q", name)
	}
	err := w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o600, ModTime: w.at.Truncate(time.Second), Format: tar.FormatUSTAR})
	if err == nil {
		_, err = w.tar.Write(data)
	}
	sum := sha256.Sum256(data)
	w.list.Members = append(w.list.Members, Member{name, int64(len(data)), hex.EncodeToString(sum[:])})
	return err
}

// line adds a line of the database.
func (w *writer) line(l store.Line) error {
	if l.Table != w.table {
		if err := w.flush(); err != nil {
			return err
		}
		w.table, w.number = l.Table, 0
		w.list.Rows[l.Table] = -1 // the names of its columns
	}
	w.list.Rows[l.Table]++
	w.buffer.Write(l.Text)
	w.buffer.WriteByte('\n')
	if w.buffer.Len() < piece {
		return nil
	}
	return w.flush()
}

func (w *writer) flush() error {
	if w.buffer.Len() == 0 {
		return nil
	}
	w.number++
	err := w.member(fmt.Sprintf("%s/%s/%06d", databaseDir, w.table, w.number), w.buffer.Bytes())
	w.buffer.Reset()
	return err
}

// end writes the key files and the list of everything.
func (w *writer) end(files []File) error {
	if err := w.flush(); err != nil {
		return err
	}
	for _, f := range files {
		if err := w.member(f.Name, f.Data); err != nil {
			return err
		}
	}
	list, err := json.Marshal(w.list)
	if err != nil {
		return err
	}
	return errors.Join(w.member(manifestName, list), w.tar.Close(), w.packed.Close())
}
