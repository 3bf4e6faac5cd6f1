package provider

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"patchbay/patch"
)

// ReadRecord reads what was kept under a name. What was never written, or cannot be read,
// leaves the value as it is.
func (e Env) ReadRecord(name string, into any) {
	if e.Records == nil {
		return
	}
	b, err := e.Records.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		e.Log.Warn("what was kept cannot be read and begins anew", "name", name, "error", err)
	}
}

// WriteRecord keeps a value under a name, where anything may be kept.
func (e Env) WriteRecord(name string, what any) error {
	if e.Records == nil {
		return nil
	}
	b, err := json.MarshalIndent(what, "", "\t")
	if err == nil {
		err = e.Records.Write(name, b)
	}
	if err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	return nil
}

// Changes tells what is other than before, sorted.
func Changes(before, after []patch.Item, asked []patch.Update) []Change {
	was := map[patch.Key]string{}
	for _, i := range before {
		was[i.Key()] = i.Version
	}
	var list []Change
	add := func(k patch.Key, from, to string) {
		wanted := slices.ContainsFunc(asked, func(u patch.Update) bool {
			return u.Scope == k.Scope && u.Name == k.Name && u.Architecture == k.Architecture && u.Instance == k.Instance
		})
		list = append(list, Change{Name: k.Name, Scope: k.Scope, Instance: k.Instance, Architecture: k.Architecture, From: from, To: to, Asked: wanted})
	}
	for _, i := range after {
		if from := was[i.Key()]; from != i.Version {
			add(i.Key(), from, i.Version)
		}
		delete(was, i.Key())
	}
	for k, from := range was {
		add(k, from, "")
	}
	slices.SortFunc(list, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Scope, b.Scope), strings.Compare(a.Instance, b.Instance), strings.Compare(a.Architecture, b.Architecture))
	})
	return list
}
