package apt

import (
	"context"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/host"
)

// thisMachine opens apt on the machine the test runs on, where it has one with lists.
func thisMachine(t testing.TB) *Apt {
	t.Helper()
	p, err := open(t.Context(), provider.Env{Host: host.Host{}, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Skip("needs a machine with apt: ", err)
	}
	a := p.(*Apt)
	if _, dir, err := a.fingerprint(); err != nil || len(dir) == 0 {
		t.Skip("needs apt's package lists")
	}
	return a
}

// TestOfferIsWhatAptWouldUpgrade holds the offer against apt's own simulation.
func TestOfferIsWhatAptWouldUpgrade(t *testing.T) {
	a := thisMachine(t)
	offer, err := a.Available(t.Context())
	if err != nil {
		t.Skip("apt's own state here is not whole: ", err)
	}
	cmd := exec.Command("apt-get", "-s", "dist-upgrade")
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) > 3 && f[0] == "Inst" && strings.HasPrefix(f[2], "[") {
			want[f[1]] = strings.Trim(f[2], "[]") + " to " + strings.Trim(f[3], "(")
		}
	}
	got := map[string]string{}
	for _, u := range offer.Updates {
		if u.Block == patch.NotBlocked {
			got[u.Name] = u.Installed + " to " + u.Available
			if u.Size == 0 || u.SHA256 == "" || u.Origin == "" || u.Suite == "" {
				t.Errorf("%+v lacks what its list says", u)
			}
		}
	}
	for name, change := range want {
		if got[name] != change {
			t.Errorf("%s: apt would go from %s, the offer says %q", name, change, got[name])
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("%s is offered, and apt would not upgrade it", name)
		}
	}
	t.Logf("%d updates as apt says", len(want))
}

func TestSecondLookIsFromMemory(t *testing.T) {
	a := thisMachine(t)
	if _, err := a.Available(t.Context()); err != nil {
		t.Skip(err)
	}
	counted := &counting{Host: a.env.Host}
	a.env.Host = counted
	if _, err := a.Installed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Available(t.Context()); err != nil {
		t.Fatal(err)
	}
	if counted.runs != 0 {
		t.Errorf("%d programs were started though nothing changed", counted.runs)
	}
}

type counting struct {
	provider.Host
	runs int
}

func (c *counting) Run(ctx context.Context, cmd provider.Command) (provider.Result, error) {
	c.runs++
	return c.Host.Run(ctx, cmd)
}
