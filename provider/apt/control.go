package apt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxStanza is the longest paragraph that is read; none in a real archive comes near.
const maxStanza = 4 << 20

// errLongStanza says that a file is not what it should be.
var errLongStanza = fmt.Errorf("a paragraph is longer than %d bytes", maxStanza)

// stanzas calls visit for each paragraph of a control file, as dpkg and apt keep them:
// paragraphs are divided by empty lines. The bytes are only valid during the call.
func stanzas(r io.Reader, visit func([]byte) error) error {
	buf, filled := make([]byte, 0, 1<<20), 0
	for {
		if filled == cap(buf) {
			if cap(buf) >= maxStanza {
				return errLongStanza
			}
			buf = append(make([]byte, 0, min(2*cap(buf), maxStanza)), buf[:filled]...)
		}
		n, err := r.Read(buf[filled:cap(buf)])
		filled += n
		buf = buf[:filled]
		rest, verr := eachStanza(buf, visit)
		if verr != nil {
			return verr
		}
		filled = copy(buf, rest)
		buf = buf[:filled]
		if errors.Is(err, io.EOF) {
			if rest := bytes.Trim(buf, "\n"); len(rest) > 0 {
				return visit(rest)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// eachStanza visits the whole paragraphs of buf and gives what is left.
func eachStanza(buf []byte, visit func([]byte) error) ([]byte, error) {
	for {
		for len(buf) > 0 && buf[0] == '\n' {
			buf = buf[1:]
		}
		end := bytes.Index(buf, blankLine)
		if end < 0 {
			return buf, nil
		}
		if err := visit(buf[:end]); err != nil {
			return nil, err
		}
		buf = buf[end+len(blankLine):]
	}
}

var blankLine = []byte("\n\n")

// eachField calls visit for each field of a paragraph with the first line of its value.
// Lines that continue a value, and lines that are no field, are passed over.
func eachField(stanza []byte, visit func(name, value []byte)) {
	for len(stanza) > 0 {
		line := stanza
		if i := bytes.IndexByte(stanza, '\n'); i >= 0 {
			line, stanza = stanza[:i], stanza[i+1:]
		} else {
			stanza = nil
		}
		if len(line) == 0 || line[0] == ' ' || line[0] == '\t' || line[0] == '#' {
			continue
		}
		if i := bytes.IndexByte(line, ':'); i > 0 {
			visit(line[:i], bytes.TrimSpace(line[i+1:]))
		}
	}
}

// is compares a field's name, which may be written in any case.
func is(name []byte, want string) bool {
	return len(name) == len(want) && (string(name) == want || bytes.EqualFold(name, []byte(want)))
}
