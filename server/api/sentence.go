package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/wire"
)

// teller says acts in words that people use. A sentence begins with what was done: whoever
// shows it puts the actor's name in front.
type teller struct {
	names
	acts map[string]telling
}

// telling is how one act is said: from its row and payload, and in few words when what it
// was about has been erased.
type telling struct {
	whole  func(*teller, store.AuditRow, actPayload) string
	erased string
}

// actPayload has the fields of all acts together: an act fills those that it is about.
type actPayload struct {
	Name, Version, Answer, Reason, Note, Mode string
	Source                                    string
	Level, Target, Site, Token, Person, Email string
	From, To, Remote, Zone                    string
	CopyOf                                    string `json:"copy_of"`
	Keys                                      []string
	CopyOfName                                string `json:"copy_of_name"`
	Sessions, Tokens                          int
	Rank, Devices                             int
	Values                                    map[string]string // of attributes, by name
	Records, Before, Removed, Changed         int
	Feeds                                     []string
	MadeAt                                    time.Time `json:"made_at"`
	TakenAt                                   time.Time `json:"taken_at"`
	Follow                                    bool
	MaxUses                                   int               `json:"max_uses"`
	TokenBy                                   string            `json:"token_by"`
	AllowRemovals                             []string          `json:"allow_removals"`
	ForcedUntil                               *time.Time        `json:"forced_until"`
	ExpiresAt                                 time.Time         `json:"expires_at"`
	SecondFactor                              bool              `json:"second_factor"`
	PasswordChanged                           bool              `json:"password_changed"`
	TOTPAt                                    *time.Time        `json:"totp_at"`
	DisabledAt                                *time.Time        `json:"disabled_at"`
	ClosedAt                                  *time.Time        `json:"closed_at"`
	Policy                                    *store.SitePolicy `json:"policy"`
	Job                                       wire.Job          `json:"job"`
	Was                                       *actPayload       `json:"was"` // what a change found
}

func newTeller(n names) *teller { return &teller{n, tellings()} }

// tellings has a line for every act that the store writes; a test holds the two together.
func tellings() map[string]telling {
	return map[string]telling{
		"agent.enroll":         {(*teller).enrolled, "was enrolled"},
		"agent.become":         {(*teller).became, "was a copy and became a device of its own"},
		"agent.copied":         {(*teller).copied, "found a copy of a device"},
		"agent.restored":       {(*teller).setBack, "found a device set back to an earlier state"},
		"approval.create":      {(*teller).answered, "answered about an update"},
		"approval.withdraw":    {(*teller).withdrew, "took an answer about an update back"},
		"attribute.set":        {(*teller).said, "said what a device is for, who reaches it or how much depends on it"},
		"audit.erase":          {(*teller).erasedRow, "erased the details of an act"},
		"content.add":          {(*teller).contentAdded, "added a file to the content"},
		"content.evict":        {(*teller).contentEvicted, "removed a file from the content to make room"},
		"content.remove":       {(*teller).contentRemoved, "removed a file from the content"},
		"customer.create":      {(*teller).customerMade, "made a customer"},
		"customer.update":      {(*teller).customerChanged, "changed a customer"},
		"device.ask":           {(*teller).asked, "asked a device to scan again"},
		"device.rename":        {(*teller).renamed, "renamed a device"},
		"device.retire":        {(*teller).retired, "retired a device"},
		"document.publish":     {(*teller).published, "published a signed document"},
		"feed.accept":          {(*teller).feedAccepted, "let a version of a feed in"},
		"feed.ask":             {(*teller).feedAsked, "had a feed looked for"},
		"feed.import":          {(*teller).feedsImported, "brought a bundle of feeds"},
		"group.create":         {(*teller).groupMade, "made a group"},
		"group.delete":         {(*teller).groupDeleted, "deleted a group"},
		"group.join":           {(*teller).joined, "put a device into a group"},
		"group.leave":          {(*teller).left, "took a device out of a group"},
		"group.update":         {(*teller).groupChanged, "changed a group"},
		"installation.restore": {(*teller).restored, "restored this installation from a backup"},
		"job.create":           {(*teller).ordered, "ordered an update"},
		"job.update":           {(*teller).reordered, "renewed an order"},
		"job.withdraw":         {(*teller).orderWithdrawn, "took an order back"},
		"key.create":           {(*teller).keyMade, "made an API key"},
		"key.revoke":           {(*teller).keyRevoked, "revoked an API key"},
		"person.confirm_totp":  {(*teller).factorSet, "set up a second factor"},
		"person.create":        {(*teller).personMade, "made an account for a person"},
		"person.reset_totp":    {(*teller).factorGone, "took a second factor away"},
		"person.set_password":  {(*teller).passwordSet, "set a password anew"},
		"person.update":        {(*teller).personChanged, "changed an account"},
		"session.create":       {(*teller).signedIn, "signed in"},
		"session.delete":       {(*teller).signedOut, "signed out"},
		"setting.write":        {(*teller).settingWritten, "changed a setting"},
		"site.create":          {(*teller).siteMade, "made a site"},
		"site.update":          {(*teller).siteChanged, "changed a site"},
		"token.create":         {(*teller).tokenMade, "made an enrolment token"},
		"token.revoke":         {(*teller).tokenRevoked, "revoked an enrolment token"},
	}
}

// sentence says an act, beginning with a verb.
func (t *teller) sentence(row store.AuditRow) string {
	telling, known := t.acts[row.Act]
	if !known {
		// A newer version of Patchbay wrote it.
		return "did something that this version does not know: " + plainName(row.Act, "")
	}
	var p actPayload
	if row.Payload == nil && !bare(row.Act) || row.Payload != nil && json.Unmarshal(row.Payload, &p) != nil {
		return telling.erased + " (the details were erased)"
	}
	return telling.whole(t, row, p)
}

// bare reports whether an act says all without a payload.
func bare(act string) bool {
	return slices.Contains([]string{"device.ask", "feed.ask", "person.confirm_totp", "person.reset_totp", "person.set_password", "setting.write"}, act)
}

// actor is who did it, as that person or program was called then.
func actor(row store.AuditRow) string {
	if row.ActorName == "" {
		return "A person whose name was erased"
	}
	return plainName(row.ActorName, "")
}

// longestName is how much of a name stands in a sentence, in characters.
const longestName = 120

// plainName makes a name fit for a sentence, whoever chose it: one line, not too long. An
// empty one is called otherwise.
func plainName(name, otherwise string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, name))
	if letters := []rune(name); len(letters) > longestName {
		name = string(letters[:longestName-1]) + "…"
	}
	if name == "" {
		return otherwise
	}
	return name
}

func (t *teller) customerName(id string) string { return plainName(t.customers[id], "a customer") }
func (t *teller) siteName(id string) string     { return plainName(t.sites[id], "a site") }
func (t *teller) personName(id string) string   { return plainName(t.persons[id], "a person") }
func (t *teller) deviceName(id string) string   { return plainName(t.devices[id], "a device") }

// place says where an answer holds: "on front-desk", "at Acme".
func (t *teller) place(level, target string) string {
	switch store.Level(level) {
	case store.LevelCustomer:
		return " at " + t.customerName(target)
	case store.LevelSite:
		return " at " + t.siteName(target)
	case store.LevelDevice:
		return " on " + t.deviceName(target)
	}
	return ""
}

// reason is what a person gave as one, after a colon.
func reason(text string) string {
	if text = plainName(text, ""); text == "" {
		return ""
	}
	return ": " + text
}

func item(p actPayload) string {
	text := plainName(p.Name, "an update") + " " + plainName(p.Version, "")
	if p.Follow {
		text += " and later versions"
	}
	return strings.TrimSpace(text)
}

func (t *teller) answered(row store.AuditRow, p actPayload) string {
	what := item(p) + t.place(p.Level, p.Target)
	if store.Answer(p.Answer) == store.Reject {
		return "rejected " + what + reason(p.Reason)
	}
	undo := store.Answer(p.Answer) == store.Undo
	if p.ForcedUntil != nil {
		what += ", to begin at once"
	}
	if len(p.AllowRemovals) > 0 {
		what += ", even if that removes " + some(p.AllowRemovals)
	}
	if undo {
		return "asked to take back " + what + reason(p.Reason)
	}
	return "approved " + what + reason(p.Reason)
}

// some lists names, not more than people read.
func some(names []string) string {
	const most = 5
	shown := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		shown = append(shown, plainName(n, "?"))
	}
	if more := len(names) - len(shown); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(shown, ", "), more)
	}
	if last := len(shown) - 1; last > 0 {
		return strings.Join(shown[:last], ", ") + " and " + shown[last]
	}
	return strings.Join(shown, "")
}

func (t *teller) withdrew(_ store.AuditRow, p actPayload) string {
	word := "approval"
	if store.Answer(p.Answer) == store.Reject {
		word = "rejection"
	} else if store.Answer(p.Answer) == store.Undo {
		word = "undo"
	}
	return "took the " + word + " of " + item(p) + t.place(p.Level, p.Target) + " back"
}

// change is what a job does: "bed-lib 1.0 → 1.2", or "bed-lib 1.2 back to 1.0".
func change(j wire.Job) string {
	text, arrow := plainName(j.Target.Name, "an update"), " → "
	if j.Verb == wire.VerbUndo {
		arrow = " back to "
	}
	if j.Target.From != "" {
		text += " " + plainName(j.Target.From, "")
	}
	return text + arrow + plainName(j.Target.To, "?")
}

func (t *teller) ordered(row store.AuditRow, p actPayload) string {
	text := "ordered " + change(p.Job) + " on " + t.deviceName(row.Device)
	if p.Job.Attempt > 1 {
		text += fmt.Sprintf(", try %d", p.Job.Attempt)
	}
	if p.Job.Forced != "" {
		text += ", outside the window at the wish of " + plainName(t.person(p.Job.Forced).Name, "a person")
	}
	return text
}

func (t *teller) reordered(row store.AuditRow, p actPayload) string {
	return "renewed the order of " + change(p.Job) + " on " + t.deviceName(row.Device)
}

func (t *teller) orderWithdrawn(row store.AuditRow, p actPayload) string {
	return "took the order of " + change(p.Job) + " on " + t.deviceName(row.Device) + " back"
}

// maker is who made the token that an agent enrolled with.
func (t *teller) maker(p actPayload) string {
	if patch.IsID(patch.PersonID, p.TokenBy) {
		return "with a token of " + t.personName(p.TokenBy)
	}
	return "with a token made on the server"
}

func (t *teller) enrolled(_ store.AuditRow, p actPayload) string {
	text := "was enrolled into " + t.siteName(p.Site) + " " + t.maker(p)
	if wire.Mode(p.Mode) == wire.Observe {
		text += ", to be observed only"
	}
	return text
}

func (t *teller) published(row store.AuditRow, p actPayload) string {
	return "published the signed document " + plainName(row.Object, "without a name") + ", signed by " + some(p.Keys)
}

func (t *teller) became(row store.AuditRow, p actPayload) string {
	return "is a copy of " + plainName(p.CopyOfName, "a device") + " and became a device of its own, called " + plainName(p.Name, "unnamed")
}

func (t *teller) copied(row store.AuditRow, _ actPayload) string {
	return "heard another machine speak with the key of " + t.deviceName(row.Device) + ": it is a copy and becomes a device of its own"
}

func (t *teller) setBack(row store.AuditRow, _ actPayload) string {
	return "found " + t.deviceName(row.Device) + " set back to an earlier state, as by restoring a snapshot, and reads it anew"
}

func (t *teller) erasedRow(row store.AuditRow, p actPayload) string {
	return "erased the details of row " + plainName(row.Object, "?") + " of this chain" + reason(p.Reason)
}

func (t *teller) asked(row store.AuditRow, _ actPayload) string {
	return "asked " + t.deviceName(row.Device) + " to scan again and check in"
}

func (t *teller) renamed(_ store.AuditRow, p actPayload) string {
	return "renamed " + plainName(p.From, "a device") + " to " + plainName(p.To, "its host name")
}

func (t *teller) retired(row store.AuditRow, p actPayload) string {
	return "retired " + plainName(p.Name, t.deviceName(row.Device))
}

func (t *teller) tokenMade(_ store.AuditRow, p actPayload) string {
	text := "made an enrolment token for " + t.siteName(p.Site) + " for " + counted(p.MaxUses, "device") +
		", until " + p.ExpiresAt.UTC().Format("2 January 2006 15:04 UTC")
	if wire.Mode(p.Mode) == wire.Observe {
		text += ", to observe only"
	}
	return text + reason(p.Note)
}

func (t *teller) tokenRevoked(_ store.AuditRow, p actPayload) string {
	return "revoked an enrolment token for " + t.siteName(p.Site) + reason(p.Note)
}

func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// sortedDays puts the days of a week in their order.
func sortedDays(days []string) []string {
	week := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	days = slices.Clone(days)
	slices.SortFunc(days, func(a, b string) int { return slices.Index(week, a) - slices.Index(week, b) })
	return days
}
