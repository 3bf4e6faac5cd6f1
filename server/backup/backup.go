// Package backup puts a whole installation into one file and makes it again from that file
// on another machine.
//
// The one idea: a backup is read as it was written, once and from front to back, however
// large the fleet is. It is a tar of small members: what it is, then the database in pieces,
// then the key files, then a list of all members with their hashes. Nothing that was read
// counts before that list has come and agreed: the rows stand in a transaction until then,
// the keys in memory, and the keys are put in their place last. A folder in which that has
// not happened carries a mark, and no server starts on it.
//
// What is in the file is the installation's identity, so it is encrypted with a passphrase.
// Of the content there are its rows, like all others, and not its files: they are large, and
// can be brought again.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Place is where an installation keeps its things.
type Place struct {
	Data     string // folder for keys and the embedded database
	Database string // address of the database
}

// DatabaseIn is the address of the database, given or the embedded one in the data folder.
func DatabaseIn(data, given string) string {
	if given != "" {
		return given
	}
	return "sqlite:" + filepath.Join(data, embedded)
}

// The names in a data folder.
const (
	embedded = "patchbay.db"
	keysDir  = "keys"
	acmeDir  = "acme"
)

// Format is the version of the file's form that this program writes, and the newest it reads.
const Format = 1

// Header is the first member: what the file is, before anything else is read.
type Header struct {
	Format    int       `json:"format"`
	Program   string    `json:"program"` // version that wrote it
	Schema    int64     `json:"schema"`  // of the database
	TakenAt   time.Time `json:"taken_at"`
	Authority string    `json:"authority"` // pin of the installation's own certificate authority
}

// Manifest is the last member: what must have come before it.
type Manifest struct {
	Members []Member         `json:"members"`
	Rows    map[string]int64 `json:"rows"` // by table
}

// Member is one part of the file.
type Member struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// The names of members.
const (
	headerName   = "backup.json"
	manifestName = "manifest.json"
	databaseDir  = "database"
)

// What a member may have at most, in bytes, and how many there may be. A hostile file must
// not fill the memory; the members of the database are never held whole.
const (
	mostHeader   = 64 << 10
	mostManifest = 64 << 20
	mostPiece    = 1 << 30
	mostLine     = 128 << 20 // a row: a section as large as a check-in may be, in base64
	mostFile     = 1 << 20
	mostFiles    = 1000
	mostMembers  = 1 << 20
	mostTotal    = 1 << 40
)

// piece is about how large the parts of the database are.
const piece = 4 << 20

// Why a file is no backup that can be used. Each is wrapped in a sentence.
var (
	ErrDamaged    = errors.New("the backup is damaged")
	ErrPassphrase = errors.New("the passphrase does not open the backup")
	ErrNewer      = errors.New("the backup was made by a newer version of Patchbay")
	ErrNotBackup  = errors.New("the file is not a backup of Patchbay")
	ErrUnfinished = errors.New("a restore did not end")
	ErrNotEmpty   = errors.New("the place to restore into is not empty")
)

// ParseHeader reads the first member.
func ParseHeader(data []byte) (Header, error) {
	var h Header
	if err := json.Unmarshal(data, &h); err != nil {
		return h, fmt.Errorf("%w: its first part cannot be read: %w", ErrDamaged, err)
	}
	switch {
	case h.Format > Format:
		return h, fmt.Errorf("%w: version %.40q wrote it in form %d, and this version reads forms up to %d. Restore it with that version, or a newer one", ErrNewer, h.Program, h.Format, Format)
	case h.Format < 1 || h.Schema < 1 || h.TakenAt.IsZero():
		return h, fmt.Errorf("%w: its first part does not say what it is", ErrDamaged)
	}
	return h, nil
}

// ParseManifest reads the last member.
func ParseManifest(data []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%w: its list of contents cannot be read: %w", ErrDamaged, err)
	}
	for _, member := range m.Members {
		if !goodName(member.Name) || member.Size < 0 {
			return m, fmt.Errorf("%w: its list of contents names %.60q", ErrDamaged, member.Name)
		}
	}
	return m, nil
}

var memberName = regexp.MustCompile(`^(backup\.json|database/[a-z_]{1,60}/[0-9]{6,12}|(keys|acme)/[A-Za-z0-9_][A-Za-z0-9._+*-]{0,99})$`)

// goodName reports whether a member may be called so: nothing that leads elsewhere.
func goodName(name string) bool { return memberName.MatchString(name) }

// agrees says how what was read differs from what the manifest lists.
func (m Manifest) agrees(read []Member, rows map[string]int64) error {
	if len(m.Members) != len(read) {
		return fmt.Errorf("%w: it has %d parts and lists %d", ErrDamaged, len(read), len(m.Members))
	}
	for i, is := range read {
		if m.Members[i] != is {
			return fmt.Errorf("%w: its part %s is not the one that was written", ErrDamaged, is.Name)
		}
	}
	for _, of := range []map[string]int64{m.Rows, rows} {
		for table := range of {
			if m.Rows[table] != rows[table] {
				return fmt.Errorf("%w: it has %d rows of table %.60q and lists %d", ErrDamaged, rows[table], table, m.Rows[table])
			}
		}
	}
	return nil
}

// File is a small file that is kept as it is.
type File struct {
	Name string // with its folder: keys/ca.key
	Data []byte
}

// lacking names the key files that are not there.
func lacking(files []File, wanted []string) (names []string) {
	for _, name := range wanted {
		if !slices.ContainsFunc(files, func(f File) bool { return f.Name == keysDir+"/"+name }) {
			names = append(names, name)
		}
	}
	return names
}
