package providertest

import (
	"bytes"
	"io/fs"
)

// Records keeps a provider's small files in memory.
type Records map[string][]byte

// Read gives a whole file.
func (r Records) Read(name string) ([]byte, error) {
	data, ok := r[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(data), nil
}

// Write replaces a whole file.
func (r Records) Write(name string, data []byte) error {
	r[name] = bytes.Clone(data)
	return nil
}
