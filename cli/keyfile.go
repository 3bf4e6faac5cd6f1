package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"patchbay/passphrase"
	"patchbay/sign"
	"patchbay/wire"
)

// Passphrases says where passphrases come from. They are never arguments, which other
// programs on the machine can read.
type Passphrases struct {
	PassphraseFile string `help:"File with the passphrase, instead of asking for it."`
}

// Passphrase reads the passphrase of something.
func (p Passphrases) Passphrase(g *Globals, in *bufio.Reader, of string) (string, error) {
	if p.PassphraseFile == "" {
		text, err := askSecret(g, in, "Passphrase of "+of+": ")
		if err != nil {
			err = fmt.Errorf("%w; where nobody can answer, give --passphrase-file", err)
		}
		return text, err
	}
	data, err := readPrivate(p.PassphraseFile)
	if err != nil {
		return "", fmt.Errorf("reading the passphrase: %w", err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// NewPassphrase reads one for something that is to be made, and asks for it twice.
func (p Passphrases) NewPassphrase(g *Globals, in *bufio.Reader, of string) (string, error) {
	text, err := p.Passphrase(g, in, of)
	if err == nil {
		err = passphrase.Check(text)
	}
	if err != nil || p.PassphraseFile != "" {
		return text, err
	}
	again, err := askSecret(g, in, "The same again: ")
	if err == nil && again != text {
		err = errors.New("the two are not the same: nothing was written for it; begin again")
	}
	return text, err
}

// newKey makes a key and its file.
func (p Passphrases) newKey(g *Globals, in *bufio.Reader, file, name string) (wire.Key, sign.Public, error) {
	if _, err := os.Lstat(file); err == nil {
		return nil, sign.Public{}, fmt.Errorf("making a key: %s is there already, and a key is never overwritten", file)
	}
	text, err := p.NewPassphrase(g, in, filepath.Base(file))
	if err != nil {
		return nil, sign.Public{}, err
	}
	key, err := sign.NewKey()
	if err != nil {
		return nil, sign.Public{}, err
	}
	data, err := sign.Lock(key, name, text, g.Work)
	if err != nil {
		return nil, sign.Public{}, err
	}
	if err := writeNew(file, data); err != nil {
		return nil, sign.Public{}, fmt.Errorf("writing the key: %w", err)
	}
	f, err := sign.ParseFile(data)
	return key, f.Public, err
}

// openKey opens a key file for signing.
func (p Passphrases) openKey(g *Globals, in *bufio.Reader, file string) (wire.Key, error) {
	f, err := readKeyFile(file)
	if err != nil {
		return nil, err
	}
	text, err := p.Passphrase(g, in, filepath.Base(file))
	if err != nil {
		return nil, err
	}
	key, err := f.Unlock(text)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", file, err)
	}
	return key, nil
}

// readKeyFile reads a key file without opening it.
func readKeyFile(file string) (sign.File, error) {
	data, err := readPrivate(file)
	if err != nil {
		return sign.File{}, fmt.Errorf("reading the key: %w", err)
	}
	f, err := sign.ParseFile(data)
	if err != nil {
		return f, fmt.Errorf("reading the key %s: %w", file, err)
	}
	return f, nil
}

// readPrivate reads a small file that nobody but its owner may read. Windows keeps rights
// in another way, and a stick may keep none: there the passphrase alone protects the key.
func readPrivate(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read or changed by others: run chmod 600 %s, and ask who may have copied it", file, file)
	}
	return io.ReadAll(io.LimitReader(f, 64<<10))
}

// writeNew writes a file that must not be there yet, for its owner alone, down to the disk.
func writeNew(file string, data []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and is never overwritten", file)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// replaceFile puts other content in place of a file's, whole or not at all.
func replaceFile(file string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".patchbay-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// publicKey reads the public part of a key: its line as it is, or a file with it, which may
// be a key file.
func publicKey(from string) (sign.Public, error) {
	if strings.HasPrefix(from, "patchbay-key ") {
		return sign.ParsePublic(from)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return sign.Public{}, fmt.Errorf("reading a public key (give its line in quotes, or a file with it): %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	p, err := sign.ParsePublic(line)
	if err != nil {
		return p, fmt.Errorf("%s: %w", from, err)
	}
	return p, nil
}

func publicKeys(from []string) ([]sign.Public, error) {
	var keys []sign.Public
	for _, f := range from {
		p, err := publicKey(f)
		if err != nil {
			return nil, err
		}
		keys = append(keys, p)
	}
	return keys, nil
}
