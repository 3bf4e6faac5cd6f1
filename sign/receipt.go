package sign

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize/english"

	"patchbay/provider"
	"patchbay/wire"
)

// ShowReceipt says in plain words what an agent says it did. What stands in quotes is text of
// the receipt.
func ShowReceipt(c wire.Receipt) string {
	if c.Notice != nil {
		return showNotice(c, *c.Notice)
	}
	p := &page{}
	p.title("A receipt of job %s: what the agent of device %s says it did.", ascii(c.Job, 80), ascii(c.Device, 80))
	item := ascii(c.Target.Provider, 0) + " " + ascii(c.Target.Name, 0)
	if c.Target.Architecture != "" {
		item += " " + ascii(c.Target.Architecture, 0)
	}
	p.field("Item", item)
	p.field("Version", fmt.Sprintf("%s before, %s wanted, %s after.", version(c.Before), version(c.Target.To), version(c.After)))
	p.field("Verified", verified(c))
	outcome := ascii(string(c.Step), 0)
	if c.Message != "" {
		outcome += ": " + quoted(c.Message)
	}
	p.field("Outcome", outcome)
	p.field("Began", c.StartedAt.UTC().Format(time.RFC3339)+" by the device's clock")
	p.field("Ended", c.EndedAt.UTC().Format(time.RFC3339))
	p.field("Boot", boot(c))
	if len(c.Changes) > 0 {
		p.field("Changed", append([]string{english.Plural(len(c.Changes), "package:", "packages:")}, changes(c.Changes)...)...)
	}
	if len(c.Conflicts) > 0 {
		p.field("Settings", settings(c.Conflicts)...)
	}
	p.field("Ordered", fmt.Sprintf("By orders %d of epoch %d, for decision %s.", c.Orders.Version, c.Orders.Epoch, ascii(c.Decision, 80)))
	if c.Forced != "" {
		p.field("Forced", "Outside its window, by "+quoted(c.Forced)+".")
	}
	if c.Approval != "" {
		p.field("Approval", "Under the signed approval "+ascii(c.Approval, 80)+".")
	}
	return p.String()
}

// showNotice says what people at a device were told or asked, by what its agent says.
func showNotice(c wire.Receipt, n wire.Notice) string {
	p := &page{}
	verb := "told"
	if len(n.Choices) > 0 {
		verb = "asked"
	}
	p.title("A receipt of job %s: what the agent of device %s says people there were %s.", ascii(c.Job, 80), ascii(c.Device, 80), verb)
	p.field("Said", quoted(n.Said))
	to := "Everybody who was logged in."
	if n.Session != 0 {
		to = fmt.Sprintf("Session %d", n.Session)
		if n.User != "" {
			to += " of " + quoted(n.User)
		}
		to += "."
	}
	p.field("To", to)
	p.field("At", n.At.UTC().Format(time.RFC3339)+" by the device's clock")
	if len(n.Choices) > 0 {
		choices := []string{english.Plural(len(n.Choices), "choice:", "choices:")}
		for _, choice := range n.Choices {
			choices = append(choices, quoted(choice))
		}
		p.field("Offered", choices...)
		answer := "None."
		if n.Answer != "" {
			answer = quoted(n.Answer)
		}
		p.field("Answer", answer)
		p.field("Over", n.AnsweredAt.UTC().Format(time.RFC3339))
	}
	if n.Problem != "" {
		p.field("Problem", "It may not have been seen: "+quoted(n.Problem))
	}
	p.field("Ordered", fmt.Sprintf("Under orders %d of epoch %d.", c.Orders.Version, c.Orders.Epoch))
	return p.String()
}

func version(v string) string {
	if v == "" {
		return "unknown"
	}
	return ascii(v, 0)
}

func verified(c wire.Receipt) string {
	if c.Verified {
		return "Yes: a scan after it found the wanted version or a newer one, active."
	}
	return "No: nothing proves that the wanted version runs there."
}

func boot(c wire.Receipt) string {
	switch {
	case c.BootBefore == "" || c.BootAfter == "":
		return "Whether the machine restarted in between is unknown."
	case c.BootBefore == c.BootAfter:
		return "The machine did not restart in between."
	}
	return "The machine restarted in between."
}

func changes(all []provider.Change) []string {
	var lines []string
	for _, c := range all {
		name := ascii(c.Name, 0)
		switch {
		case c.From == "":
			lines = append(lines, name+": installed, "+version(c.To))
		case c.To == "":
			lines = append(lines, name+": removed, was "+version(c.From))
		default:
			lines = append(lines, name+": "+version(c.From)+" to "+version(c.To))
		}
	}
	return lines
}

func settings(all []provider.Conflict) []string {
	lines := []string{english.Plural(len(all), "settings file, changed here and by the vendor, stays as it was:", "settings files, changed here and by the vendor, stay as they were:")}
	for _, c := range all {
		lines = append(lines, ascii(c.Path, 0))
	}
	return lines
}
