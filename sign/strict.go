package sign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// strict decodes JSON of which every field is known and stands once, and behind which
// nothing follows.
func strict(data []byte, v any) error {
	if err := onceEach(data); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return notUnderstood(err)
	}
	return nil
}

// notUnderstood says why JSON cannot be read. The reason may repeat what stands in it.
func notUnderstood(err error) error {
	return fmt.Errorf("it is damaged, or of a newer version (%s)", bare(err.Error(), 200))
}

// maxDepth is deeper than any document.
const maxDepth = 20

// onceEach sees to it that data is one JSON value, and that no object in it has a field
// twice: of two, one reader might take the first and another the last.
func onceEach(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := value(d, maxDepth); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows after its end")
	}
	return nil
}

// value passes over one value.
func value(d *json.Decoder, depth int) error {
	if depth == 0 {
		return errors.New("it is nested deeper than any document")
	}
	t, err := d.Token()
	if err != nil {
		return notUnderstood(err)
	}
	switch t {
	case json.Delim('{'):
		err = fields(d, depth)
	case json.Delim('['):
		for err == nil && d.More() {
			err = value(d, depth-1)
		}
	default:
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := d.Token(); err != nil { // the bracket that closes it
		return notUnderstood(err)
	}
	return nil
}

// fields passes over the fields of an object. Package json takes names that differ in
// capitals for the same.
func fields(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return notUnderstood(err)
		}
		name, _ := t.(string)
		folded := strings.ToLower(strings.ToUpper(name))
		if seen[folded] {
			return fmt.Errorf("the field %s stands in it twice", ascii(name, 40))
		}
		seen[folded] = true
		if err := value(d, depth-1); err != nil {
			return err
		}
	}
	return nil
}
