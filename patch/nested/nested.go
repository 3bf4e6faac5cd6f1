// Package nested reads one file out of an archive: the installer that a catalogue names in it.
// Whoever signs and whoever installs find the same one, or none.
package nested

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Most is how large a file may be that is unpacked, in bytes.
const Most = 4 << 30

// Open finds the one file of a ZIP archive that has a name, with slashes and whatever the case,
// and reads it. It gives no more than size bytes; another length than the archive says is an
// error, and so is another checksum.
func Open(r io.ReaderAt, size int64, name string) (file io.ReadCloser, length int64, err error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // such names are never looked for
		return nil, 0, fmt.Errorf("reading an archive: %w", err)
	}
	var found *zip.File
	for _, f := range z.File {
		if !strings.EqualFold(strings.ReplaceAll(f.Name, `\`, "/"), name) {
			continue
		}
		if found != nil {
			return nil, 0, fmt.Errorf("the archive has %.80q twice", name)
		}
		found = f
	}
	switch {
	case found == nil:
		return nil, 0, fmt.Errorf("the archive has no file %.80q", name)
	case !found.Mode().IsRegular():
		return nil, 0, fmt.Errorf("%.80q in the archive is no plain file", name)
	case found.Flags&1 != 0:
		return nil, 0, fmt.Errorf("%.80q in the archive is encrypted", name)
	case found.UncompressedSize64 == 0 || found.UncompressedSize64 > Most:
		return nil, 0, fmt.Errorf("%.80q in the archive has %d bytes", name, found.UncompressedSize64)
	}
	file, err = found.Open()
	if err != nil {
		return nil, 0, fmt.Errorf("unpacking %.80q: %w", name, err)
	}
	return file, int64(found.UncompressedSize64), nil
}
