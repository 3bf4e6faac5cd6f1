package api

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"patchbay/server/roles"
	"patchbay/server/store"
)

// said tells what a person said of a device, a site or a customer.
func (t *teller) said(_ store.AuditRow, p actPayload) string {
	of := map[store.Level]func() string{store.LevelDevice: func() string { return t.deviceName(p.Target) },
		store.LevelSite: func() string { return "the devices of " + t.siteName(p.Target) }, store.LevelCustomer: func() string { return "the devices of " + t.customerName(p.Target) }}[store.Level(p.Level)]
	if of == nil {
		return "said what a device is for"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p.Values)) {
		parts = append(parts, saidWords(name, p.Values[name]))
	}
	if last := len(parts) - 1; last > 0 {
		parts = append(parts[:last-1], parts[last-1]+" and "+parts[last])
	}
	return "said of " + of() + " that " + strings.Join(parts, ", ")
}

// saidWords says one thing that was said, as the end of "that".
func saidWords(name, value string) string {
	if role, ok := strings.CutPrefix(name, "role:"); ok {
		words := plainName(roles.Role(role).Words(), "something that this version does not know")
		switch value {
		case roles.Yes:
			return "it is " + words
		case roles.No:
			return "it is not " + words
		}
		return "what it shows decides whether it is " + words
	}
	words := map[string]string{
		roles.Criticality + "=": "how much depends on it is not set here", roles.Criticality + "=low": "little depends on it", roles.Criticality + "=medium": "as much depends on it as on others",
		roles.Criticality + "=high": "much depends on it", roles.Criticality + "=very_high": "very much depends on it",
		roles.Exposure + "=": "who reaches it is not set here", roles.Exposure + "=small": "hardly anybody reaches it", roles.Exposure + "=controlled": "only those who are let in reach it",
		roles.Exposure + "=open": "it is open to the internet",
	}[name+"="+value]
	return plainName(words, "something holds that this version does not know")
}

func (t *teller) groupMade(_ store.AuditRow, p actPayload) string {
	return "made the group " + plainName(p.Name, "without a name")
}

func (t *teller) groupChanged(_ store.AuditRow, p actPayload) string {
	name := plainName(p.Name, "a group")
	if p.Was == nil {
		return "changed the group " + name
	}
	var parts []string
	if p.Was.Name != p.Name {
		parts = append(parts, "renamed the group "+plainName(p.Was.Name, "without a name")+" to "+name)
	}
	if p.Was.Rank != p.Rank {
		parts = append(parts, "put the group "+name+" at rank "+strconv.Itoa(p.Rank))
	}
	return changes(parts, "the group "+name)
}

func (t *teller) groupDeleted(_ store.AuditRow, p actPayload) string {
	return "deleted the group " + plainName(p.Name, "without a name") + ", which had " + counted(p.Devices, "device")
}

func (t *teller) joined(row store.AuditRow, p actPayload) string {
	return "put " + t.deviceName(row.Device) + " into the group " + plainName(p.Name, "without a name")
}

func (t *teller) left(row store.AuditRow, p actPayload) string {
	return "took " + t.deviceName(row.Device) + " out of the group " + plainName(p.Name, "without a name")
}
