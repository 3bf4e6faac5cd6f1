package api

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/window"
	"patchbay/wire"
)

// policyWords says what may happen at a site.
func policyWords(p store.SitePolicy) string {
	text := whenWords(p)
	switch p.InUse {
	case wire.InUseAsk:
		text += ", whoever has a program open is asked"
	case wire.InUseClose:
		text += ", programs that are open are closed"
	}
	if len(p.Beside) > 0 {
		text += ", beside " + strings.Join(p.Beside, " and ")
	}
	return text
}

// whenWords says what goes by itself, and when.
func whenWords(p store.SitePolicy) string {
	text := "updates go by hand"
	if p.Auto == store.Security {
		text = "security updates go by themselves"
	}
	if len(p.Classes) > 0 {
		text += ", and so does what is of the class " + classWords(p.Classes)
	}
	if len(p.Windows) == 0 {
		return text + ", there is no window"
	}
	windows := make([]string, len(p.Windows))
	for i, w := range p.Windows {
		windows[i] = weeklyWords(w)
	}
	text += ", " + strings.Join(windows, " and ")
	return text + ", " + rebootWords(p.Reboots)
}

// rebootWords says when devices may reboot.
func rebootWords(r wire.Reboots) string {
	text := "devices may reboot"
	switch r.Known().When {
	case wire.RebootWindow:
	case wire.RebootAsk:
		text = fmt.Sprintf("devices may reboot, whoever is logged in decides for %s and may put it off %s", counted(r.DeadlineHours, "hour"), counted(r.Postpone, "time"))
	default:
		return "devices may not reboot"
	}
	if r.Daily > 0 {
		text += fmt.Sprintf(", at most %s a day", counted(r.Daily, "time"))
	}
	return text
}

// classWords names classes: "definition or service pack".
func classWords(list []patch.Class) string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = strings.ReplaceAll(string(c), "_", " ")
	}
	return strings.Join(words, " or ")
}

// weeklyWords says a window: "Mon, Tue 22:00 for 4 h (Europe/Berlin)".
func weeklyWords(w window.Weekly) string {
	days := sortedDays(w.Days)
	for i, d := range days {
		days[i] = strings.ToUpper(d[:min(1, len(d))]) + d[min(1, len(d)):]
	}
	length := fmt.Sprintf("%d min", w.Minutes)
	if w.Minutes%60 == 0 {
		length = fmt.Sprintf("%d h", w.Minutes/60)
	}
	when := strings.Join(days, ", ")
	if len(days) == 7 {
		when = "daily"
	}
	return plainName(fmt.Sprintf("%s %s for %s (%s)", when, w.Start, length, w.Zone), "")
}

func (t *teller) siteMade(row store.AuditRow, p actPayload) string {
	text := "made the site " + plainName(p.Name, "") + " of " + t.customerName(row.Chain)
	if p.Policy != nil {
		text += ": " + policyWords(*p.Policy)
	}
	return text
}

func (t *teller) siteChanged(_ store.AuditRow, p actPayload) string {
	name := plainName(p.Name, "a site")
	if p.Was == nil {
		return "changed " + name
	}
	var parts []string
	if p.Was.Name != p.Name {
		parts = append(parts, "renamed "+plainName(p.Was.Name, "a site")+" to "+name)
	}
	if p.Was.Zone != p.Zone {
		parts = append(parts, "moved "+name+" to the time zone "+plainName(p.Zone, "?"))
	}
	// Windows of the site's own zone move with it: that is not a change of its own.
	if p.Policy != nil && p.Was.Policy != nil && !reflect.DeepEqual(inZone(*p.Policy, p.Zone), inZone(*p.Was.Policy, p.Was.Zone)) {
		parts = append(parts, "changed the policy of "+name+": "+policyWords(*p.Policy))
	}
	if p.Policy != nil && p.Was.Policy != nil {
		parts = append(parts, ruleWords(p.Was.Policy.Applications, p.Policy.Applications, name)...)
	}
	return changes(parts, name)
}

// inZone is a policy to compare: windows of the site's own zone name none. Its rules for
// programs are told one by one.
func inZone(p store.SitePolicy, zone string) store.SitePolicy {
	windows := make([]window.Weekly, 0, len(p.Windows))
	for _, w := range p.Windows {
		if w.Zone == zone {
			w.Zone = ""
		}
		w.Days = sortedDays(w.Days)
		windows = append(windows, w)
	}
	p.Windows, p.Applications = windows, nil
	return p
}

func changes(parts []string, name string) string {
	if len(parts) == 0 {
		return "saved " + name + " without a change"
	}
	return strings.Join(parts, " and ")
}

func (t *teller) customerMade(_ store.AuditRow, p actPayload) string {
	return "made the customer " + plainName(p.Name, "")
}

func (t *teller) customerChanged(_ store.AuditRow, p actPayload) string {
	name := plainName(p.Name, "a customer")
	if p.Was == nil {
		return "changed " + name
	}
	var parts []string
	if p.Was.Name != p.Name {
		parts = append(parts, "renamed "+plainName(p.Was.Name, "a customer")+" to "+name)
	}
	if p.Was.Note != p.Note {
		parts = append(parts, "changed the note on "+name)
	}
	switch {
	case p.Was.ClosedAt == nil && p.ClosedAt != nil:
		parts = append(parts, "closed "+name)
	case p.Was.ClosedAt != nil && p.ClosedAt == nil:
		parts = append(parts, "opened "+name+" again")
	}
	return changes(parts, name)
}

func (t *teller) personMade(row store.AuditRow, p actPayload) string {
	if row.Actor == row.Object {
		return "became the first administrator, with the address " + plainName(p.Email, "?")
	}
	return "made an account for " + plainName(p.Name, "a person") + " with the address " + plainName(p.Email, "?")
}

// whose is "the" where people act on themselves and "Ann's" otherwise.
func (t *teller) whose(row store.AuditRow, person string) string {
	if row.Actor == person {
		return "their own"
	}
	return t.personName(person) + "'s"
}

func (t *teller) personChanged(row store.AuditRow, p actPayload) string {
	own := t.whose(row, row.Object)
	if p.Was == nil {
		return "changed " + own + " account"
	}
	var parts []string
	if p.Was.Name != p.Name {
		parts = append(parts, "changed "+own+" name from "+plainName(p.Was.Name, "none")+" to "+plainName(p.Name, "none"))
	}
	if p.Was.Email != p.Email {
		parts = append(parts, "changed "+own+" address from "+plainName(p.Was.Email, "none")+" to "+plainName(p.Email, "none"))
	}
	if p.PasswordChanged {
		parts = append(parts, "set "+own+" password anew")
	}
	if p.Was.TOTPAt != nil && p.TOTPAt == nil {
		parts = append(parts, "took "+own+" second factor away")
	}
	switch {
	case p.Was.DisabledAt == nil && p.DisabledAt != nil:
		parts = append(parts, "disabled "+own+" account")
	case p.Was.DisabledAt != nil && p.DisabledAt == nil:
		parts = append(parts, "enabled "+own+" account again")
	}
	return changes(parts, own+" account")
}

func (t *teller) factorSet(row store.AuditRow, _ actPayload) string {
	return "set up " + t.whose(row, row.Object) + " second factor"
}

func (t *teller) factorGone(row store.AuditRow, _ actPayload) string {
	return "took " + t.whose(row, row.Object) + " second factor away"
}

func (t *teller) passwordSet(row store.AuditRow, _ actPayload) string {
	return "set " + t.whose(row, row.Object) + " password anew"
}

func (t *teller) signedIn(row store.AuditRow, p actPayload) string {
	text := "signed in"
	if p.Person != row.Actor {
		text = "signed " + t.personName(p.Person) + " in"
	}
	if from, err := netip.ParsePrefix(p.Remote); err == nil {
		text += " from " + from.String()
	} else if from, err := netip.ParseAddr(p.Remote); err == nil {
		text += " from " + from.String()
	}
	if !p.SecondFactor {
		text += ", without a second factor"
	}
	return text
}

func (t *teller) signedOut(row store.AuditRow, p actPayload) string {
	if p.Person != row.Actor {
		return "signed " + t.personName(p.Person) + " out"
	}
	return "signed out"
}

func (t *teller) keyMade(_ store.AuditRow, p actPayload) string {
	return "made the API key " + plainName(p.Name, "without a name") + ", until " + p.ExpiresAt.UTC().Format("2 January 2006")
}

func (t *teller) keyRevoked(row store.AuditRow, p actPayload) string {
	return "revoked " + t.whose(row, p.Person) + " API key " + plainName(p.Name, "without a name")
}

func (t *teller) settingWritten(row store.AuditRow, _ actPayload) string {
	if row.Object == "setup_token" {
		return "made a one-time link for the first administrator"
	}
	return "changed the setting " + plainName(strings.ReplaceAll(row.Object, "_", " "), "?")
}

func (t *teller) restored(_ store.AuditRow, p actPayload) string {
	return "restored this installation from a backup of " + p.TakenAt.UTC().Format("2 January 2006 15:04 UTC") +
		", ended " + counted(p.Sessions, "session") + " and revoked " + counted(p.Tokens, "enrolment token") +
		"; what people did after that backup is not known here"
}

// fileOf is the name of a file with the beginning of its hash, by which it is known.
func fileOf(row store.AuditRow, p actPayload) string {
	return plainName(p.Name, "a file") + " (" + plainName(row.Object[:min(len(row.Object), 12)], "?") + "…)"
}

func (t *teller) contentAdded(row store.AuditRow, p actPayload) string {
	text := "added " + fileOf(row, p) + " to the content"
	if p.Source != "" {
		text += " from " + plainName(p.Source, "")
	}
	return text
}

func (t *teller) contentRemoved(row store.AuditRow, p actPayload) string {
	return "removed " + fileOf(row, p) + " from the content"
}

func (t *teller) contentEvicted(row store.AuditRow, p actPayload) string {
	return "removed " + fileOf(row, p) + " from the content to make room: it was used least recently and nothing needs it"
}

func (t *teller) feedAccepted(row store.AuditRow, p actPayload) string {
	return fmt.Sprintf("let the held version of the feed %s in: of %s %d vanished and %d say another thing of versions",
		plainName(row.Object, "?"), counted(p.Before, "record"), p.Removed, p.Changed)
}

func (t *teller) feedAsked(row store.AuditRow, _ actPayload) string {
	return "had the feed " + plainName(row.Object, "?") + " looked for at once"
}

func (t *teller) feedsImported(_ store.AuditRow, p actPayload) string {
	return "brought a bundle of " + counted(len(p.Feeds), "feed") + ", made on " + p.MadeAt.UTC().Format("2 January 2006 15:04 UTC")
}
