package agentapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"patchbay/wire"
)

// The limits of an inventory, beyond which it is refused rather than stored.
const (
	maxSections = 64
	maxName     = 512
)

// checkMessage says what is wrong with a check-in, nil when it can be taken. Texts that are
// only told to people are shortened instead of refused.
func checkMessage(in *wire.CheckIn, s *session) error {
	switch {
	case in.Version != wire.Version:
		return fmt.Errorf("this server speaks version %d of the protocol; update whichever is older", wire.Version)
	case in.Agent != s.agent:
		return errors.New("the message is from another agent than its certificate")
	case in.Mode != wire.Observe && in.Mode != wire.Manage:
		return errors.New("the mode must be observe or manage")
	case len(in.Devices) > wire.MaxDevices:
		return fmt.Errorf("one message may carry at most %d devices", wire.MaxDevices)
	case len(in.Outcomes) > wire.MaxOutcomes:
		return fmt.Errorf("one message may carry at most %d outcomes", wire.MaxOutcomes)
	case in.Gone < 0:
		return errors.New("outcomes are numbered from 1")
	case len(in.Capabilities) > 50:
		return errors.New("an agent may list at most 50 capabilities")
	}
	in.Build, in.BootID = shorten(in.Build, maxName), shorten(in.BootID, maxName)
	for i := range in.Devices {
		if err := checkDevice(&in.Devices[i], s); err != nil {
			return err
		}
	}
	return checkOutcomes(in.Outcomes, s)
}

func checkDevice(d *wire.DeviceReport, s *session) error {
	if !s.speaksFor(d.Device) {
		return errors.New("the message is about a device this agent does not speak for")
	}
	if len(d.Sections) > maxSections || len(d.Jobs) > wire.MaxOutcomes {
		return errors.New("a device may have at most 64 sections and 500 jobs")
	}
	for i := range d.Sections {
		if err := checkSection(&d.Sections[i]); err != nil {
			return err
		}
	}
	for i := range d.Jobs {
		j := &d.Jobs[i]
		j.Job, j.Why = shorten(j.Job, maxName), shorten(j.Why, wire.MaxText)
		if !knownStep(j.Step) {
			return errors.New("a job stands at a step this server does not know")
		}
	}
	return nil
}

func checkOutcomes(outcomes []wire.Outcome, s *session) error {
	for i := range outcomes {
		o := &outcomes[i]
		switch {
		case !s.speaksFor(o.Device):
			return errors.New("an outcome is about a device this agent does not speak for")
		case o.Seq < 1 || i > 0 && o.Seq <= outcomes[i-1].Seq:
			return errors.New("outcomes must be numbered from 1 and in order")
		case !knownStep(o.Step):
			return errors.New("an outcome is of a step this server does not know")
		}
		o.Job, o.Result = shorten(o.Job, maxName), wire.Result(shorten(string(o.Result), 32))
		o.Message, o.Detail = shorten(o.Message, wire.MaxText), shorten(o.Detail, wire.MaxText)
	}
	return nil
}

func knownStep(s wire.Step) bool {
	return slices.Contains([]wire.Step{wire.StepStaging, wire.StepWaiting, wire.StepPreflight, wire.StepApplying,
		wire.StepRestarting, wire.StepRebooting, wire.StepVerifying, wire.StepDone, wire.StepFailed}, s)
}

// checkSection holds the form of a section. Whether its body is what its hash says is the
// store's to find out, which keeps the last good one when it is not.
func checkSection(s *wire.Section) error {
	if s.Name == "" || len(s.Name) > 100 || len(s.Hash) > 100 {
		return errors.New("a section needs a name and a hash of at most 100 bytes")
	}
	if s.State != wire.SectionOK && s.State != wire.SectionFailed && s.State != wire.SectionAbsent {
		return errors.New("a section's state must be ok, failed or absent")
	}
	s.Error = shorten(s.Error, wire.MaxText)
	return nil
}

// shorten cuts a text to n bytes at a rune's border and drops what would not print.
func shorten(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
