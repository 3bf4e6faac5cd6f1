package winupdate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows/registry"

	"patchbay/agent/facts"
	"patchbay/agent/inventory"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/host"
	"patchbay/provider/providertest"
	"patchbay/wire"
)

// written is what a test put into the registry, to be taken away again.
type written struct {
	keys   []string // that were not there, those above before those below
	values [][2]string
}

// put writes an export of keys below HKLM, as the table has them.
func (w *written) put(text string) error {
	at := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "["):
			at = strings.TrimSuffix(strings.TrimPrefix(line, `[HKEY_LOCAL_MACHINE\`), "]")
			if err := w.enter(at); err != nil {
				return err
			}
		default:
			if err := w.value(at, line); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
		}
	}
	return nil
}

const wholeKey = registry.ALL_ACCESS | registry.WOW64_64KEY

// enter makes a key and those above it.
func (w *written) enter(path string) error {
	parts := strings.Split(path, `\`)
	for i := range parts {
		k, existed, err := registry.CreateKey(registry.LOCAL_MACHINE, strings.Join(parts[:i+1], `\`), wholeKey)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		_ = k.Close()
		if !existed {
			w.keys = append(w.keys, strings.Join(parts[:i+1], `\`))
		}
	}
	return nil
}

func (w *written) value(at, line string) error {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, at, wholeKey)
	if err != nil {
		return err
	}
	defer k.Close()
	name, data, _ := strings.Cut(line, "=")
	name = strings.Trim(name, `"`)
	w.values = append(w.values, [2]string{at, name})
	if digits, ok := strings.CutPrefix(data, "dword:"); ok {
		n, err := strconv.ParseUint(digits, 16, 32)
		if err != nil {
			return err
		}
		return k.SetDWordValue(name, uint32(n))
	}
	return k.SetStringValue(name, strings.ReplaceAll(strings.Trim(data, `"`), `\\`, `\`))
}

// clear takes it all away.
func (w *written) clear() error {
	for _, v := range w.values {
		k, err := registry.OpenKey(registry.LOCAL_MACHINE, v[0], wholeKey)
		if err != nil {
			return err
		}
		err = k.DeleteValue(v[1])
		if err = errors.Join(err, k.Close()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, path := range slices.Backward(w.keys) {
		if err := registry.DeleteKey(registry.LOCAL_MACHINE, path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// TestStatesOfThisWindows runs in a Windows of the bed (states_linux_test.go).
func TestStatesOfThisWindows(t *testing.T) {
	if _, err := os.Stat(`C:\states`); err != nil {
		t.Skip("there are no states here")
	}
	for n, c := range machineStates() {
		if err := stateOfThisWindows(t, n, c); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		fmt.Printf("STATE %d %s\n", n, c.name)
	}
}

// stateOfThisWindows makes this Windows be like that and has the agent's scan read it.
func stateOfThisWindows(t *testing.T, n int, c machineState) (err error) {
	for _, name := range []string{"offer", "history"} {
		text, err := os.ReadFile(filepath.Join(`C:\states`, strconv.Itoa(n), name))
		if err == nil {
			err = os.WriteFile(`C:\bed\engine\`+name, text, 0o600)
		}
		if err != nil {
			return err
		}
	}
	w := &written{}
	defer func() { err = errors.Join(err, w.clear()) }()
	if err := w.put(c.registry); err != nil {
		return err
	}
	records := providertest.Records{}
	env := provider.Env{Host: host.Host{}, Log: slog.New(slog.DiscardHandler), Records: records, Now: func() time.Time { return today }}
	if c.told == toldNothing { // the engine tells no more of it: that this agent began it is why it is looked at
		var rec record
		rec.began([]provider.EngineUpdate{c.u}, today)
		if err := env.WriteRecord(recordFile, rec); err != nil {
			return err
		}
	}
	scanner := &inventory.Scanner{Kinds: []provider.Kind{Kind()}, Env: func(string) provider.Env { return env },
		Facts: func(ctx context.Context) (wire.Facts, error) { return facts.Collect(ctx, host.Host{}) }, Log: env.Log, Text: func(s string) string { return s }}
	r, err := scanner.Scan(t.Context(), today)
	if err != nil {
		return err
	}
	if !r.Read(Name) {
		return errors.New("it could not be read")
	}
	return c.compare(r)
}

// compare holds what was told to what is true of the state.
func (c machineState) compare(r inventory.Report) error {
	var found *patch.Item
	for _, i := range r.Installed {
		if i.Source == c.u.ID.Update {
			found = &i
		}
	}
	got := stateAbsent
	if found != nil {
		switch {
		case found.Disputed != "":
			got = stateDisputed
		case found.Leaving:
			got = stateLeaving
		case found.Restart:
			got = statePending
		default:
			got = stateThere
		}
	}
	if c.told == toldNothing && c.want == stateDisputed {
		c.want, c.why = stateAbsent, "" // the engine tells no more of what another update took the place of: that is no dispute
	}
	if got != c.want || found != nil && !strings.Contains(found.Disputed, c.why) {
		return fmt.Errorf("it is told as %d and not as %d: %+v", got, c.want, found)
	}
	if waits := strings.Contains(c.registry, "Reboot"); r.Facts.Restart.Machine != waits {
		return fmt.Errorf("that Windows waits for a restart is told as %t: %+v", r.Facts.Restart.Machine, r.Facts.Restart)
	}
	return nil
}
