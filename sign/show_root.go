package sign

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"patchbay/wire"
)

const (
	keySize = ed25519.PublicKeySize
	farRoot = 3 * 366 * 24 * time.Hour
	onlySec = "From %s on only security updates are installed, in their windows, unless a newer one is there."
)

func (p *page) root(r wire.Root) {
	p.title("A root, version %d, of the installation %s: it says which keys may sign what.", r.Version, ascii(r.Installation, 0))
	if before := p.beside.Root; before != nil {
		p.title("Devices that hold version %d take it when %d of its %s and %d of the %s in this one signed.", before.Version,
			before.Root.Threshold, english.Plural(len(before.Root.Keys), "root key", ""), r.Root.Threshold, english.Plural(len(r.Root.Keys), "root key", ""))
	}
	p.dates(r.IssuedAt, r.Expires, farRoot, fmt.Sprintf(onlySec, day(r.Expires)))
	says := map[string][2]string{
		"root":      {"sign the next root, and with it everything below.", "Nobody can sign the next root."},
		"publisher": {"sign limits: what the server may order at most.", "Nobody can sign limits, so nothing limits what the server may order."},
		"approver":  {"may approve work; how many must, stands in the limits.", "Nobody can sign approvals."},
		"server":    {"may sign orders and the time.", "None is named: whichever key the server passes its rights on to may sign orders and the time."},
	}
	for _, role := range r.Roles() {
		say := says[role.Name]
		if role.Empty() {
			p.field(label(role.Name), say[1])
			continue
		}
		p.field(label(role.Name), append([]string{asked(role, say[0])}, p.keys(role.Role)...)...)
	}
	if r.Limits == 0 {
		p.field("Limits", "Not asked for: a device that was never given any does whatever the server orders.")
	} else {
		p.field("Limits", fmt.Sprintf("Version %d or newer. Without them, devices install only security updates, in their windows.", r.Limits))
	}
	p.rootBeware(r)
	p.rootAfter(r)
}

// asked is how many keys of a role must do what it is for.
func asked(r wire.NamedRole, does string) string {
	keys := english.Plural(len(r.Keys), "key", "")
	switch r.Name {
	case "approver": // its threshold is 1: others are refused for their form
		return "Each of " + keys + " " + does
	case "server":
		return fmt.Sprintf("Each of %s %s The server's next keys need %s.", keys, does, english.Plural(r.Threshold, "signature", ""))
	}
	return fmt.Sprintf("%d of %s must %s", r.Threshold, keys, does)
}

func label(role string) string { return string(role[0]-'a'+'A') + role[1:] }

func (p *page) rootBeware(r wire.Root) {
	keys := len(r.Root.Keys)
	switch {
	case r.Root.Threshold == 1:
		p.warn("One root key is enough for a new root: whoever steals a single one takes over the installation.")
	case r.Root.Threshold == keys:
		p.warn("All %d root keys must sign the next root: if one is lost with all its copies, there is never another.", keys)
	}
	switch {
	case r.Server.Empty():
		p.warn("It names no server key: whoever steals the server can pass its rights on to a key of their own.")
	case r.Publisher.Empty() && r.Limits > 0:
		p.warn("It asks for limits and names nobody who can sign them: devices would install only security updates.")
	}
}

// rootAfter compares with the root before.
func (p *page) rootAfter(r wire.Root) {
	before := p.beside.Root
	if before == nil {
		if r.Version != 1 {
			p.warn("Without the root before it nobody can say what it changes, nor whether devices take it.")
		}
		return
	}
	p.since = fmt.Sprintf("version %d", before.Version)
	if r.Version != before.Version+1 {
		p.warn("It is version %d and does not follow version %d: devices take the versions one by one.", r.Version, before.Version)
	}
	if r.Installation != before.Installation {
		p.warn("It is of another installation than the root before it (%s): no device takes it.", ascii(before.Installation, 0))
	}
	old := before.Roles()
	for i, role := range r.Roles() {
		p.compare(role.Name+" key", p.keys(old[i].Role), p.keys(role.Role))
		changed(p, "signatures of "+role.Name+" keys", old[i].Threshold, role.Threshold)
	}
	changed(p, "end", day(before.Expires), day(r.Expires))
	changed(p, "lowest version of limits", before.Limits, r.Limits)
	p.rootWorse(*before, r)
}

// rootWorse warns of what takes protection away.
func (p *page) rootWorse(before, r wire.Root) {
	if r.Root.Threshold < before.Root.Threshold {
		p.warn("Fewer root keys than before can sign the next root.")
	}
	if r.Limits < before.Limits {
		p.warn("Devices would accept older limits than before.")
	}
	if !slices.ContainsFunc(r.Root.Keys, func(k []byte) bool { return holds(before.Root, k) }) {
		p.warn("None of the root keys of before is in it: all are replaced at once.")
	}
	for _, role := range r.Roles()[:3] {
		for _, k := range role.Keys {
			if holds(before.Server, k) {
				p.warn("A key that was the server's becomes one of role %s: whoever has the server has it.", role.Name)
			}
		}
	}
}

func holds(r wire.Role, key []byte) bool {
	return slices.ContainsFunc(r.Keys, func(k []byte) bool { return bytes.Equal(k, key) })
}
