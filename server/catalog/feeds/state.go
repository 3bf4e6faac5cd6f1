package feeds

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// stateFile is the one file that says what holds. It is replaced in one step.
const stateFile = "state.json"

// state is what is known of a feed. It is on the disk as it is here.
type state struct {
	Kind       string    `json:"kind"`
	Generation int64     `json:"generation"` // of Current
	Current    *Version  `json:"current,omitempty"`
	Held       *Version  `json:"held,omitempty"`      // waits for a person
	Why        string    `json:"why,omitempty"`       // why it does
	CheckedAt  time.Time `json:"checked_at,omitzero"` // when all of it was last looked at
	FreshAt    time.Time `json:"fresh_at,omitzero"`   // when what holds was last the newest
	Sources    []source  `json:"sources,omitempty"`   // what was got last, of each address
	Trouble    *Trouble  `json:"error,omitempty"`
	Recent     []moved   `json:"recent,omitempty"` // of the last day
}

// Version is one version of a feed, whole.
type Version struct {
	SHA256    string    `json:"sha256"` // of its files' hashes
	FetchedAt time.Time `json:"fetched_at"`
	Imported  bool      `json:"imported,omitempty"` // it came in a bundle
	Files     []File    `json:"files"`
	Size      int64     `json:"size"` // bytes of all files
	Index     string    `json:"index"`
	Records   int       `json:"records"`
	Refused   int       `json:"refused"` // that are not what they say
	Reasons   []string  `json:"reasons,omitempty"`
	Change    Change    `json:"change"` // from the version before
}

// File is one file of a version, as it was published.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// source is what an address sent last.
type source struct {
	From         string `json:"from"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Files        []File `json:"files"`
}

// Trouble is why nothing newer came.
type Trouble struct {
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
	Tries int       `json:"tries"`
	At    time.Time `json:"at"`             // of the last one
	Until time.Time `json:"until,omitzero"` // before that, its publisher does not want to be asked
}

// moved is how much a version took away from the one before it.
type moved struct {
	At     time.Time `json:"at"`
	Before int       `json:"before"` // records there were
	Gone   int       `json:"gone"`   // that vanished or say another thing
}

// maxState is more than any real one has.
const maxState = 16 << 20

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// readState reads a state; the zero value where there is none.
func readState(path string) (state, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("what is known of it cannot be read: %w", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, fmt.Errorf("what is known of it cannot be read: %w", err)
	}
	for _, v := range []*Version{s.Current, s.Held} {
		if err := v.check(); err != nil {
			return state{}, fmt.Errorf("what is known of it cannot be read: %w", err)
		}
	}
	return s, nil
}

// check holds the names in a version to their form: they become paths.
func (v *Version) check() error {
	if v == nil {
		return nil
	}
	if !hashForm.MatchString(v.Index) {
		return errors.New("it names no index")
	}
	for _, f := range v.Files {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

// fileForm is how files are called on the disk.
var fileForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}$`)

func (f File) check() error {
	if !hashForm.MatchString(f.SHA256) || !fileForm.MatchString(f.Name) || f.Size < 0 {
		return fmt.Errorf("the file %.60q is not named as files are here", f.Name)
	}
	return nil
}

// file is where a file of a feed lies.
func (k *Keeper) file(feed string, f File) string {
	return filepath.Join(k.Path, feed, "files", f.SHA256, f.Name)
}

// encode writes a state for people to read, too.
func (s state) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	if b.Len() > maxState {
		return nil, errors.New("there is more to be said of it than of any real feed")
	}
	return b.Bytes(), nil
}
