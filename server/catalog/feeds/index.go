package feeds

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"patchbay/server/catalog/feed"
)

// maxRecords is more than any feed has.
const maxRecords = 5_000_000

// entry is one record of an index: hashes of its ID and of what it says.
type entry struct{ id, says uint64 }

// index says of each record of a version what it says, sorted by ID, each ID once.
type index []entry

// Change counts what differs between two versions.
type Change struct {
	Before  int `json:"before"` // records of the older one
	Added   int `json:"added"`
	Removed int `json:"removed"`
	Changed int `json:"changed"` // that say another thing of versions
}

// collector makes the index of what is read.
type collector struct {
	feed    string
	all     map[uint64]uint64
	again   int
	reasons []string
}

// maxReasons is how many records that stand there twice are told one by one.
const maxReasons = 5

// add takes a record. What stands there more than once says all of it, in whatever order.
func (c *collector) add(r Record) error {
	id := short(r.ID)
	says, twice := c.all[id]
	if c.all[id] = says + short(string(r.Says)); twice {
		if c.again++; len(c.reasons) < maxReasons {
			c.reasons = append(c.reasons, fmt.Sprintf("record %.60q stands there more than once", feed.Clip(r.ID)))
		}
	}
	if len(c.all) > maxRecords {
		return fmt.Errorf("it has more than %d records; no real one has", maxRecords)
	}
	return nil
}

func short(text string) uint64 {
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:])
}

func (c *collector) index() index {
	x := make(index, 0, len(c.all))
	for id, says := range c.all {
		x = append(x, entry{id, says})
	}
	slices.SortFunc(x, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	return x
}

// compare counts what differs between two indexes.
func compare(old, new index) Change {
	c := Change{Before: len(old)}
	for len(old) > 0 || len(new) > 0 {
		switch {
		case len(new) == 0 || len(old) > 0 && old[0].id < new[0].id:
			c.Removed++
			old = old[1:]
		case len(old) == 0 || new[0].id < old[0].id:
			c.Added++
			new = new[1:]
		default:
			if old[0].says != new[0].says {
				c.Changed++
			}
			old, new = old[1:], new[1:]
		}
	}
	return c
}

// indexHead begins every index. Another form of it has another number.
const indexHead = "patchbay feed index 1\n"

// encode gives the bytes of an index, and their hash.
func (x index) encode() (data []byte, hash string) {
	data = make([]byte, 0, len(indexHead)+16*len(x))
	data = append(data, indexHead...)
	for _, e := range x {
		data = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(data, e.id), e.says)
	}
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:])
}

var errIndex = errors.New("its index is damaged")

// readIndex reads the index that has a hash.
func (k *Keeper) readIndex(feed, hash string) (index, error) {
	data, err := os.ReadFile(k.indexFile(feed, hash))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != hash {
		return nil, errIndex
	}
	data, ok := bytes.CutPrefix(data, []byte(indexHead))
	if !ok || len(data)%16 != 0 {
		return nil, errIndex
	}
	x := make(index, 0, len(data)/16)
	for ; len(data) > 0; data = data[16:] {
		x = append(x, entry{binary.BigEndian.Uint64(data), binary.BigEndian.Uint64(data[8:])})
	}
	return x, nil
}
