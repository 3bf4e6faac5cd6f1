package winget

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// An installer that outlives its agent is the only one until it is gone, or overdue. Another
// process of its number is not it.
func TestNoInstallerRunsBesideAnother(t *testing.T) {
	began := now.Add(-time.Hour)
	for _, c := range []struct {
		name    string
		change  func(p *provider.Process, m *machine)
		waits   bool
		endings int
	}{
		{"at work", func(*provider.Process, *machine) {}, true, 0},
		{"gone", func(_ *provider.Process, m *machine) { m.processes = nil }, false, 0},
		{"another of its number", func(p *provider.Process, _ *machine) { p.Began = began.Add(time.Second) }, false, 0},
		{"another program", func(p *provider.Process, _ *machine) { p.Program = `C:\other.exe` }, false, 0},
		{"overdue", func(p *provider.Process, m *machine) {
			p.Began = now.Add(-overdue - time.Second)
			if err := m.open().began(patch.Item{Name: "Tool"})(*p); err != nil {
				t.Fatal(err)
			}
		}, false, 1},
	} {
		m := tool(t, patch.NSIS)
		m.processes = []provider.Process{{ID: 7, Program: `C:\content\installer.exe`, Began: began}}
		if err := m.open().began(patch.Item{Name: "Tool"})(m.processes[0]); err != nil {
			t.Fatal(err)
		}
		c.change(&m.processes[0], m)
		w := m.open() // of another process
		_, err := w.Apply(t.Context(), request(m, w, "1.2"))
		if c.waits != errors.Is(err, provider.ErrBusy) || (len(m.ran) == 0) != c.waits || c.waits && !strings.Contains(err.Error(), "Tool that began at 2026-11-20 11:00") || len(m.ended) != c.endings {
			t.Errorf("%s: ran %q, ended %v, %v", c.name, m.ran, m.ended, err)
		}
	}
}

// What an installer is gets written down before it is let run, or it is not run.
func TestAnInstallerIsWrittenDownBefore(t *testing.T) {
	m := tool(t, patch.NSIS)
	w := m.open()
	host := &telling{machine: m, p: provider.Process{ID: 9, Program: "x", Began: now}}
	w.env.Host = host
	if _, err := w.Apply(t.Context(), request(m, w, "1.2")); err != nil || !strings.Contains(host.before, `"id": 9`) {
		t.Errorf("before it ran there was %q, %v", host.before, err)
	}
}

// telling is a machine that names the process it runs.
type telling struct {
	*machine
	p      provider.Process
	before string
}

func (h *telling) Run(ctx context.Context, c provider.Command) (provider.Result, error) {
	if err := c.Began(h.p); err != nil {
		return provider.Result{}, err
	}
	b, err := h.records.Read(runningRecord)
	h.before = string(b)
	if err != nil {
		return provider.Result{}, err
	}
	return h.machine.Run(ctx, c)
}

// What an installer takes away on its way stays told until the new version is there: also to
// an agent that is started in between, while the installer is at work and after it was ended.
func TestWhatVanishesOnTheWayIsToldAsBroken(t *testing.T) {
	m := tool(t, patch.MSI)
	w := m.open()
	host := &telling{machine: m, p: provider.Process{ID: 9, Program: "x", Began: now}}
	w.env.Host = host
	does := m.run
	m.run = func([]string) (int, error) {
		if _, err := does([]string{"msiexec", "/x"}); err != nil { // and no further
			t.Error(err)
		}
		m.processes = []provider.Process{host.p}
		return 0, context.Canceled // the agent is stopped
	}
	r := request(m, w, "1.2")
	if _, err := w.Apply(t.Context(), r); err == nil {
		t.Fatal("it says that nothing was wrong")
	}
	if got := m.version(m.open()); got != "1.1 removed" {
		t.Errorf("while it is at work it is %q", got)
	}
	m.processes = nil
	w = m.open()
	if got := m.version(w); got != "1.1 removed" {
		t.Errorf("after it was ended it is %q", got)
	}
	m.run = does
	if _, err := w.Apply(t.Context(), r); err != nil || m.version(w) != "1.2" {
		t.Errorf("it is %q, %v", m.version(w), err)
	}
	m.run([]string{"msiexec", "/x"})
	if items, err := m.open().Installed(t.Context()); err != nil || len(items) != 0 {
		t.Errorf("removed by somebody it is told as %+v, %v", items, err)
	}
}
