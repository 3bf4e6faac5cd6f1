package store

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Attribute is what a person said of a device, or of all devices of a site or a customer, such
// as who reaches it. What the names and values mean is not the store's.
type Attribute struct {
	Customer string
	Level    Level
	Target   string // the ID of what Level names
	Name     string
	Value    string
	By       string // a person's ID
	ByName   string // as the person was called then
	At       time.Time
}

const attributeColumns = `customer, level, target, name, value, by_person, by_name, at`

func scanAttribute(r scanner) (a Attribute, err error) {
	err = r.Scan(&a.Customer, &a.Level, &a.Target, &a.Name, &a.Value, &a.By, &a.ByName, at(&a.At))
	return a, err
}

// Attributes gives what was said of targets, or of everything when none is named.
func (h handle) Attributes(ctx context.Context, targets ...string) ([]Attribute, error) {
	return reading(ctx, h, "attributes", func(t *tx) ([]Attribute, error) {
		q := newFilter(t)
		q.in("target", targets)
		return list(ctx, t, scanAttribute, `SELECT `+attributeColumns+` FROM attribute`+q.String()+` ORDER BY customer, level, target, name`, q.args...)
	})
}

// SetAttributes writes what a person says of a customer or a site; "" takes back what was said.
func (c *Customer) SetAttributes(ctx context.Context, now time.Time, level Level, target string, values map[string]string) error {
	return doing("setting attributes", c.change(ctx, now, func(t *tx) error {
		if err := t.knowsTarget(ctx, level, target); err != nil {
			return err
		}
		return t.setAttributes(ctx, now, note{act: "attribute.set", object: target}, level, target, values)
	}))
}

// DeviceChange is what a person says of several devices at once.
type DeviceChange struct {
	Values map[string]string // attributes; "" takes back what was said
	Join   []string          // groups that they come into
	Leave  []string          // and that they go out of
}

// ChangeDevices changes all of the devices, or none.
func (c *Customer) ChangeDevices(ctx context.Context, now time.Time, devices []string, change DeviceChange) error {
	return doing("changing devices", c.change(ctx, now, func(t *tx) error {
		names, err := t.groupNames(ctx)
		if err != nil {
			return err
		}
		for _, id := range append(slices.Clone(change.Join), change.Leave...) {
			if names[id] == "" {
				return missing("group", id)
			}
		}
		for _, device := range devices {
			if err := t.knowsTarget(ctx, LevelDevice, device); err != nil {
				return err
			}
			if err := t.changeDevice(ctx, now, device, change, names); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (t *tx) changeDevice(ctx context.Context, now time.Time, device string, change DeviceChange, names map[string]string) error {
	if len(change.Values) > 0 {
		if err := t.setAttributes(ctx, now, note{act: "attribute.set", object: device, device: device}, LevelDevice, device, change.Values); err != nil {
			return err
		}
	}
	for _, id := range change.Join {
		if _, err := t.exec(ctx, `INSERT INTO group_device (customer, device_group, device) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, t.customer, id, device); err != nil {
			return err
		}
		t.note(note{act: "group.join", object: id, device: device, payload: fields{"name": names[id]}})
	}
	for _, id := range change.Leave {
		if _, err := t.exec(ctx, `DELETE FROM group_device WHERE customer = $1 AND device_group = $2 AND device = $3`, t.customer, id, device); err != nil {
			return err
		}
		t.note(note{act: "group.leave", object: id, device: device, payload: fields{"name": names[id]}})
	}
	return nil
}

// setAttributes writes what is said of one target, and notes what stood there.
func (t *tx) setAttributes(ctx context.Context, now time.Time, n note, level Level, target string, values map[string]string) error {
	held, err := list(ctx, t, scanAttribute, `SELECT `+attributeColumns+` FROM attribute WHERE customer = $1 AND level = $2 AND target = $3`, t.customer, string(level), target)
	if err != nil {
		return err
	}
	was := map[string]string{}
	for _, a := range held {
		if _, ok := values[a.Name]; ok {
			was[a.Name] = a.Value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] == "" {
			_, err = t.exec(ctx, `DELETE FROM attribute WHERE customer = $1 AND level = $2 AND target = $3 AND name = $4`, t.customer, string(level), target, name)
		} else {
			_, err = t.exec(ctx, `INSERT INTO attribute (`+attributeColumns+`) VALUES (`+marks(1, 8)+`)
				ON CONFLICT (customer, level, target, name) DO UPDATE SET value = $5, by_person = $6, by_name = $7, at = $8`,
				t.customer, string(level), target, name, values[name], t.who.ID, t.who.Name, millis(now))
		}
		if err != nil {
			return err
		}
	}
	n.payload = fields{"level": level, "target": target, "values": values, "was": fields{"values": was}}
	t.note(n)
	return nil
}
