package verdict

import (
	"strings"
	"testing"
	"time"

	"patchbay/window"
	"patchbay/wire"
)

func TestWhatRunsOldIsNamedWithWhoEndsIt(t *testing.T) {
	for _, c := range []struct {
		running []string
		owner   Owner
		says    string
	}{
		{[]string{"nginx.service"}, MSP, "nginx.service still runs with the old files of lib."},
		{[]string{"a.service", "b"}, MSP, "a.service and b still run with"},
		{[]string{"bash"}, User, "bash still runs"},
		{[]string{"init.scope"}, MSP, "init.scope still"},
		{[]string{"a", "b", "c", "d", "e"}, User, "a, b, c and 2 more still run"},
		{[]string{"a", "b", "c", "d"}, User, "a, b, c and d still run"},
	} {
		k := usual(t)
		k.Need.Reached, k.Need.Running, k.Work = true, c.running, Work{}
		if v := Of(k, now); v.Name != RUNNING_OLD || v.Owner != c.owner || v.Act != ActLook || v.Next != nil || !strings.Contains(v.Sentence, c.says) {
			t.Errorf("%v: %+v", c.running, v)
		}
		k.Work = workAt(wire.StepRestarting)
		if v := Of(k, now); v.Name != RUNNING_OLD || v.Owner != Patchbay || v.Next == nil || v.Until == nil || !strings.Contains(v.Sentence, c.says) {
			t.Errorf("%v, while its service waits for the window: %+v", c.running, v)
		}
	}
}

// Nobody reboots a machine for what was installed without a job: no time is promised.
func TestNoRebootIsPromisedThatNobodyMakes(t *testing.T) {
	c := usual(t)
	c.Need.Reached, c.Need.Restart, c.Work = true, "the machine has to reboot", Work{}
	if v := Of(c, now); v.Name != INSTALLED_PENDING_REBOOT || v.Owner != User || v.Next != nil {
		t.Errorf("without a job: %+v", v)
	}
	c.Work = workAt(wire.StepRebooting)
	if v := Of(c, now); v.Owner != Patchbay || v.Next == nil || !v.Next.Equal(now.Add(3*time.Hour)) || v.Until == nil {
		t.Errorf("a job waits for the window: %+v", v)
	}
	c.Device.Windows, _ = window.New(window.Spec{})
	if v := Of(c, now); v.Next != nil {
		t.Errorf("there is no window: %+v", v)
	}
}

// A machine that was told to restart counts as lost by the clock alone, whatever was read
// before, and no longer the moment it is heard again.
func TestMachineThatDoesNotComeBackIsAFailure(t *testing.T) {
	for _, reached := range []bool{false, true} {
		c := usual(t)
		c.Device.Name, c.Need.Reached = "web1", reached
		c.Work = workAt("restarts")
		c.Work.Since = time.Date(2026, 3, 1, 11, 14, 0, 0, time.UTC)
		c.Device.LastSeen = c.Work.Since.Add(time.Minute)
		at := c.Work.Since
		var names []Name
		for at.Before(now.Add(time.Hour)) {
			v := Of(c, at)
			checkForm(t, c, v)
			names = append(names, v.Name)
			if v.Name == FAILED {
				if !IsNotBack(v) || v.Act != ActLook || v.Owner != MSP ||
					v.Sentence != "web1 was told to restart at 11:14 UTC on 1 March for its update of lib and has not been heard of since." {
					t.Fatalf("%+v", v)
				}
				break
			}
			if v.Until == nil || !v.Until.After(at) {
				t.Fatalf("%s does not say when it changes", v.Name)
			}
			at = *v.Until
		}
		if last := names[len(names)-1]; last != FAILED || at.Sub(c.Device.LastSeen) > BackWithin+2*time.Second {
			t.Errorf("reached %v: %v, until %s", reached, names, at)
		}
		c.Device.LastSeen = now
		if v := Of(c, now); IsNotBack(v) {
			t.Errorf("heard again: %+v", v)
		}
	}
	c := usual(t)
	c.Work = workAt(wire.StepRebooting) // waits for its window, and was never told to restart
	c.Device.LastSeen = now.Add(-10 * time.Hour)
	if v := Of(c, now); v.Name != WAITS_DEVICE {
		t.Errorf("a machine that is off and was not told to restart: %+v", v)
	}
}
