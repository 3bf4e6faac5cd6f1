package feed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxRecords is more than any feed has.
const maxRecords = 5_000_000

// Shape is how a feed's documents are made.
type Shape struct {
	List  string                                         // the member that has the records; "" where each document is one
	Whole bool                                           // a document without that member is a record itself
	Most  int64                                          // bytes of one record, and of what stands beside the list
	Head  func(name string, value json.RawMessage) error // gets what stands beside the list; may be nil
}

// ErrTooLarge says that a record is larger than any real one.
var ErrTooLarge = errors.New("a part of it is larger than any real one")

// Records walks through documents that follow each other (a line each, or one alone, or one
// list of all) and gives each record, counted from 1. A record's text is only good until the
// next one.
func Records(in io.Reader, s Shape, each func(n int, text json.RawMessage) error) error {
	m := &meter{in: bufio.NewReaderSize(in, 1<<16), most: s.Most, left: s.Most}
	r := reading{Shape: s, meter: m, each: each}
	if err := m.skipMark(); err != nil {
		return err
	}
	r.d = json.NewDecoder(m)
	for documents := 0; ; documents++ {
		err := r.document()
		switch {
		case errors.Is(err, io.EOF) && documents == 0:
			return errors.New("it is empty")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// reading is one walk.
type reading struct {
	Shape
	d     *json.Decoder
	meter *meter
	each  func(int, json.RawMessage) error
	n     int
	text  json.RawMessage
}

// document reads one document. io.EOF means that there is none any more.
func (r *reading) document() error {
	if r.List == "" && r.n > 0 || r.List == "" && !r.isList() {
		if err := r.d.Decode(&r.text); errors.Is(err, io.EOF) {
			return io.EOF
		} else if err != nil {
			return fmt.Errorf("record %d cannot be read: %w", r.n+1, whole(err))
		}
		return r.give(r.text)
	}
	t, err := r.d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case err != nil:
		return fmt.Errorf("it cannot be read: %w", whole(err))
	case t == json.Delim('['):
		return r.elements()
	case t == json.Delim('{'):
		return r.members()
	}
	return errors.New("it is no document of records")
}

// isList reports whether what follows is a list.
func (r *reading) isList() bool {
	b, _ := r.meter.in.Peek(512) // an error comes again when it is read
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == '['
}

// elements gives what is in a list, up to its end.
func (r *reading) elements() error {
	for r.d.More() {
		if err := r.d.Decode(&r.text); err != nil {
			return fmt.Errorf("record %d cannot be read: %w", r.n+1, whole(err))
		}
		if err := r.give(r.text); err != nil {
			return err
		}
	}
	if _, err := r.d.Token(); err != nil {
		return fmt.Errorf("it breaks off after record %d: %w", r.n, whole(err))
	}
	return nil
}

// members goes through one object that has the records in one of its members.
func (r *reading) members() error {
	seen := false
	beside := []byte{'{'}
	for r.d.More() {
		name, err := r.d.Token()
		if err != nil {
			return fmt.Errorf("it cannot be read: %w", whole(err))
		}
		if name == r.List {
			if err := r.list(seen); err != nil {
				return err
			}
			seen = true
			continue
		}
		if err := r.d.Decode(&r.text); err != nil {
			return fmt.Errorf("what it says of %.40q cannot be read: %w", name, whole(err))
		}
		if beside, err = r.beside(beside, name.(string)); err != nil {
			return err
		}
	}
	if _, err := r.d.Token(); err != nil {
		return fmt.Errorf("it breaks off: %w", whole(err))
	}
	switch {
	case seen:
		return nil
	case r.Whole:
		return r.give(append(beside, '}'))
	}
	return fmt.Errorf("it has no %s", r.List)
}

// list reads the member with the records.
func (r *reading) list(seen bool) error {
	if seen {
		return fmt.Errorf("it has %s twice", r.List)
	}
	if t, err := r.d.Token(); err != nil || t != json.Delim('[') {
		return fmt.Errorf("its %s is no list", r.List)
	}
	return r.elements()
}

// beside takes a member that is not the list.
func (r *reading) beside(all []byte, name string) ([]byte, error) {
	if r.Head != nil {
		if err := r.Head(name, r.text); err != nil {
			return all, err
		}
	}
	if !r.Whole {
		r.meter.left = r.Most
		return all, nil
	}
	key, err := json.Marshal(name)
	if err != nil {
		return all, err
	}
	if len(all) > 1 {
		all = append(all, ',')
	}
	return append(append(append(all, key...), ':'), r.text...), nil
}

// give gives one record, and has the next one begin.
func (r *reading) give(text json.RawMessage) error {
	if r.n++; r.n > maxRecords {
		return fmt.Errorf("it has more than %d records; no real one has", maxRecords)
	}
	if int64(len(text)) > r.Most {
		return fmt.Errorf("record %d: %w", r.n, ErrTooLarge)
	}
	r.meter.left = r.Most
	return r.each(r.n, text)
}

// whole says of an end in the middle that it is none.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// meter counts what is read for one record.
type meter struct {
	in         *bufio.Reader
	most, left int64
}

// Read reads on, as long as a record may.
func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, ErrTooLarge
	}
	n, err := m.in.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, err
}

// skipMark skips a byte order mark.
func (m *meter) skipMark() error {
	if b, _ := m.in.Peek(3); bytes.Equal(b, []byte("\xef\xbb\xbf")) {
		_, err := m.in.Discard(3)
		return err
	}
	return nil
}
