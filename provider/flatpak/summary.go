package flatpak

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

const (
	summariesDir = "repo/tmp/cache/summaries"
	maxSummary   = 128 << 20
	maxIndex     = 8 << 20
)

// summary is what a remote last said it has.
type summary struct {
	refs     map[string]offered
	signedAt time.Time // zero when it does not say
	until    time.Time
}

// offered is one ref in a summary.
type offered struct {
	commit       string
	at           time.Time
	size         int64
	eol, renamed string
}

// errNoSummary is flatpak's never having fetched one that it keeps.
var errNoSummary = errors.New("flatpak keeps no list of what it has; it is fetched with the next refresh")

// readSummary reads what flatpak keeps of a remote's summary for the given refs. flatpak
// checked its signature when it fetched it, and only root or the user whose it is can write here.
func (p place) readSummary(r *remote, arch string, wanted func(ref string) bool) (summary, error) {
	index, err := p.read(path.Join(summariesDir, r.name+".idx"), maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		b, err := p.read(path.Join(summariesDir, r.name), maxSummary)
		if errors.Is(err, fs.ErrNotExist) {
			return summary{}, errNoSummary
		}
		if err != nil {
			return summary{}, err
		}
		return parseSummary(b, wanted)
	}
	if err != nil {
		return summary{}, err
	}
	which := arch
	if r.subset != "" {
		which = r.subset + "-" + arch
	}
	hash, s, err := parseIndex(index, which)
	if err != nil {
		return summary{}, fmt.Errorf("its index: %w", err)
	}
	b, err := p.read(path.Join(summariesDir, r.name+"-"+which+"-"+hash+".sub"), maxSummary)
	if errors.Is(err, fs.ErrNotExist) {
		return summary{}, errNoSummary
	}
	if err != nil {
		return summary{}, err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != hash {
		return summary{}, errors.New("its list is not the one that its signed index names")
	}
	of, err := parseSummary(b, wanted)
	s.refs = of.refs
	return s, err
}

// parseIndex finds the list for an architecture in a signed index: (a{s(ayaaya{sv})}a{sv}).
func parseIndex(b []byte, which string) (hash string, s summary, err error) {
	parts, err := data(b).tuple(member{align: 8}, member{align: 8})
	if err != nil {
		return "", s, err
	}
	err = parts[0].array(8, func(entry data) error {
		e, err := entry.tuple(member{align: 1}, member{align: 8})
		if err != nil {
			return err
		}
		name, err := e[0].text()
		if err != nil || name != which {
			return err
		}
		list, err := e[1].tuple(member{align: 1}, member{align: 1}, member{align: 8})
		if err != nil || len(list[0]) != sha256.Size {
			return errData
		}
		hash = hex.EncodeToString(list[0])
		return nil
	})
	if err != nil {
		return "", s, err
	}
	if hash == "" {
		return "", s, fmt.Errorf("it has nothing for %s", which)
	}
	return hash, s, s.about(parts[1])
}

// about reads when a summary was made.
func (s *summary) about(d data) error {
	more, err := d.dict()
	if err != nil {
		return err
	}
	s.signedAt, _ = moment(more["ostree.summary.last-modified"], binary.BigEndian)
	s.until, _ = moment(more["ostree.summary.expires"], binary.BigEndian)
	return nil
}

// parseSummary reads the wanted refs of a summary: (a(s(taya{sv}))a{sv}).
func parseSummary(b []byte, wanted func(ref string) bool) (summary, error) {
	s := summary{refs: map[string]offered{}}
	parts, err := data(b).tuple(member{align: 8}, member{align: 8})
	if err != nil {
		return s, err
	}
	err = parts[0].array(8, func(entry data) error {
		e, err := entry.tuple(member{align: 1}, member{align: 8})
		if err != nil {
			return err
		}
		ref, err := e[0].text()
		if err != nil || !wanted(ref) {
			return err
		}
		o, err := parseOffered(e[1])
		s.refs[ref] = o
		return err
	})
	if err != nil {
		return s, err
	}
	return s, s.about(parts[1])
}

func parseOffered(d data) (offered, error) {
	v, err := d.tuple(member{align: 8, size: 8}, member{align: 1}, member{align: 8})
	if err != nil {
		return offered{}, err
	}
	if len(v[1]) != sha256.Size {
		return offered{}, errData
	}
	more, err := v[2].dict()
	if err != nil {
		return offered{}, err
	}
	o := offered{commit: hex.EncodeToString(v[1])}
	for _, key := range []string{"ot.ts", "ostree.commit.timestamp"} {
		if at, ok := moment(more[key], binary.BigEndian); ok {
			o.at = at
		}
	}
	o.eol, _ = more["eol"].text()
	o.renamed, _ = more["eolr"].text()
	o.eol, o.renamed = calm(o.eol), calm(o.renamed)
	if x := more["xa.data"]; x.kind == "(tts)" {
		if t, err := x.data.tuple(member{align: 8, size: 8}, member{align: 8, size: 8}, member{align: 1}); err == nil {
			if n := binary.BigEndian.Uint64(t[1]); n < 1<<50 {
				o.size = int64(n)
			}
		}
	}
	return o, nil
}
