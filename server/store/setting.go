package store

import (
	"context"
	"time"
)

// Setting gives the value of a setting of the installation. Secrets are sealed by the caller.
func (m *MSP) Setting(ctx context.Context, name string) ([]byte, error) {
	return reading(ctx, m.handle, "a setting", func(t *tx) (value []byte, err error) {
		err = t.row(ctx, `SELECT value FROM setting WHERE name = $1`, name).Scan(&value)
		return value, absent(err, missing("setting", name))
	})
}

// SetSetting writes a setting. The audit row names it and does not repeat its value.
func (m *MSP) SetSetting(ctx context.Context, now time.Time, name string, value []byte) error {
	return doing("writing a setting", m.change(ctx, now, func(t *tx) error {
		t.note(note{act: "setting.write", object: name})
		return t.setSetting(ctx, name, value)
	}))
}

func (t *tx) setSetting(ctx context.Context, name string, value []byte) error {
	_, err := t.exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = $2`, name, notNil(value))
	return err
}

// AddSetting writes a setting that is not there yet and gives what is there then: several
// servers that start at once on one database end up with the same keys.
func (m *MSP) AddSetting(ctx context.Context, now time.Time, name string, value []byte) (held []byte, err error) {
	err = m.record(ctx, now, func(t *tx) error {
		n, err := t.exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, notNil(value))
		if err != nil {
			return err
		}
		if n > 0 {
			t.note(note{act: "setting.write", object: name})
		}
		return t.row(ctx, `SELECT value FROM setting WHERE name = $1`, name).Scan(&held)
	})
	return held, doing("writing a setting", err)
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
