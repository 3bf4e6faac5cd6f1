package feeds

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"time"
)

// Config is what a file says of feeds: which are got, from where and how often.
type Config struct {
	Feeds []Feed
	// Allow are networks that are not on the internet, and that feeds may be got from.
	Allow []netip.Prefix
	// Keys are public lines of keys whose signature suffices for a bundle. Without any, it is
	// the root that says who may sign one.
	Keys []string
}

// configured is a configuration as it is written.
type configured struct {
	About string         `json:"about"` // for people
	Allow []netip.Prefix `json:"allow"`
	Keys  []string       `json:"keys"`
	Feeds []struct {
		Name   string   `json:"name"`
		Kind   string   `json:"kind"`
		From   []string `json:"from"`
		Every  string   `json:"every"`
		Most   int64    `json:"most_mib"`
		Accept string   `json:"accept"`
		Hash   string   `json:"hash"`
		Off    bool     `json:"off"` // it is only here to be switched on
		About  string   `json:"about"`
	} `json:"feeds"`
}

// The bounds of how often a feed is looked for.
const (
	oftenest = 10 * time.Minute
	seldom   = 90 * 24 * time.Hour
)

// ReadConfig reads a configuration. What it does not know is an error, so that a slip of the
// pen is no feed that is silently missing.
func ReadConfig(data []byte, kinds []Kind) (Config, error) {
	var in configured
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	if _, more := d.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("something stands behind its end")
	}
	if err != nil {
		return Config{}, fmt.Errorf("reading which feeds there are: %w", err)
	}
	c := Config{Allow: in.Allow, Keys: in.Keys}
	k := Keeper{Options: Options{Kinds: kinds}}
	seen := map[string]bool{}
	for _, one := range in.Feeds {
		f := Feed{Name: one.Name, Kind: one.Kind, From: one.From, Most: one.Most << 20, Accept: one.Accept, Hash: one.Hash}
		if f.Every, err = time.ParseDuration(one.Every); err != nil || f.Every < oftenest || f.Every > seldom {
			return c, fmt.Errorf("feed %.60s: every must be a time from %v to %v, such as 6h", one.Name, oftenest, seldom)
		}
		err := f.check(&k)
		if err == nil && seen[f.Name] {
			err = errors.New("it stands there twice")
		}
		if err != nil {
			return c, fmt.Errorf("feed %.60s: %w", one.Name, err)
		}
		if seen[f.Name] = true; !one.Off {
			c.Feeds = append(c.Feeds, f)
		}
	}
	return c, nil
}

// hashEnding is what the addresses of hashes end with.
var hashEnding = regexp.MustCompile(`^\.[a-z0-9]{1,12}$`)

// check looks at a feed as it is configured.
func (f Feed) check(k *Keeper) error {
	if !nameForm.MatchString(f.Name) {
		return errors.New("its name may have small letters, digits, dots and hyphens")
	}
	if _, err := k.kind(f.Kind); err != nil {
		return err
	}
	if len(f.From) == 0 || len(f.From) > 1000 {
		return errors.New("from must name what it is got from: addresses, files or folders")
	}
	if f.Most < 0 || len(f.Accept) > 200 {
		return errors.New("most_mib and accept are not as they must be")
	}
	if f.Hash != "" && !hashEnding.MatchString(f.Hash) {
		return errors.New("hash must be the ending of an address, such as .sha256")
	}
	for _, from := range f.From {
		if err := checkFrom(from); err != nil {
			return err
		}
	}
	return nil
}
