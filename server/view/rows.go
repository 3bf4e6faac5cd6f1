package view

import (
	"encoding/json"
	"time"

	"patchbay/provider"
	"patchbay/wire"
)

// Customer is a company the MSP looks after.
type Customer struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Note       string      `json:"note,omitempty"`
	CreatedAt  time.Time   `json:"created_at"`
	ClosedAt   *time.Time  `json:"closed_at,omitempty"`
	Sites      int         `json:"sites"`
	Posture    Posture     `json:"posture"`
	NextWindow *NextWindow `json:"next_window,omitempty"`
}

// NextWindow is the next opening at any site of a customer.
type NextWindow struct {
	Site     string    `json:"site"`
	SiteName string    `json:"site_name"`
	At       time.Time `json:"at"`
	Open     bool      `json:"open" doc:"It is open now; at is when it closes"`
}

// Site is a place of a customer, and for now also its policy.
type Site struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Customer  Ref       `json:"customer"`
	Zone      string    `json:"zone" doc:"IANA name"`
	Policy    Policy    `json:"policy"`
	Window    Window    `json:"window"`
	Devices   int       `json:"devices"`
	Posture   Posture   `json:"posture"`
	CreatedAt time.Time `json:"created_at"`
	Masters   []Master  `json:"masters,omitempty" doc:"Other programs that may install updates on its devices. Told of one site only"`
}

// Policy is what goes by itself at a site, and when.
type Policy struct {
	Auto    string   `json:"auto" enum:"by_hand,security" doc:"What needs no person's answer"`
	Classes []string `json:"classes,omitempty" maxItems:"20" enum:"bugfix,critical,definition,driver,rollup,service_pack,tool" doc:"Classes of updates that need no person's answer either. Previews, new releases and what is optional always do"`
	Windows []Weekly `json:"windows,omitempty" maxItems:"20" doc:"None: nothing happens here unless forced"`
	// Reboots is optional, for callers that do not know it.
	Reboots Reboots `json:"reboots,omitzero" required:"false" doc:"When devices may reboot for updates that ask for it. Never when left out"`
	// Restarts is optional, for callers that do not know it.
	Restarts string   `json:"restarts,omitempty" enum:"by_hand,in_window" doc:"Who restarts services that use old files of an update: a person, or the device inside the window. By hand when left out"`
	InUse    string   `json:"in_use,omitempty" enum:"wait,ask,close" doc:"What is done about a program that somebody has open while it is to be replaced: it waits until they close it, they are asked, or they are told and it is closed five minutes later. Wait when left out"`
	Beside   []string `json:"beside,omitempty" maxItems:"20" doc:"Other programs that may install updates on these devices, such as Intune, and beside which Patchbay installs all the same. Where one is not named here, nothing is installed that it may install too"`
	// Applications is optional, for callers that do not know it.
	Applications []ApplicationRule `json:"applications,omitzero" required:"false" maxItems:"200" doc:"Rules for single programs, one for each. Those that are there stay when left out"`
}

// Reboots says when devices may reboot by themselves.
type Reboots struct {
	When          string `json:"when" enum:"never,window,ask" doc:"Never, inside the window, or inside the window and as those who are logged in choose: they are asked, may choose a time or put it off, until the deadline"`
	Postpone      int    `json:"postpone,omitempty" minimum:"0" maximum:"20" doc:"How often people may put it off where they are asked"`
	DeadlineHours int    `json:"deadline_hours,omitempty" minimum:"0" maximum:"336" doc:"For how long they decide, from when the reboot was first asked for; after it the device reboots in a window. Needed where they are asked"`
	Daily         int    `json:"daily" minimum:"0" maximum:"24" doc:"How many reboots a day there may be before the next one waits for tomorrow; 0 is no limit"`
}

// ApplicationRule says what becomes of one program.
type ApplicationRule struct {
	Provider string     `json:"provider" minLength:"1" maxLength:"40" doc:"Whose package it is, as devices name it"`
	Package  string     `json:"package" minLength:"1" maxLength:"200" example:"Notepad++.Notepad++" doc:"The item's name, or that of its package"`
	Wish     string     `json:"wish" enum:"leave,update,install" doc:"Left alone, updated where it is, or also installed where it is not"`
	Pin      string     `json:"pin,omitempty" maxLength:"100" example:"8.6." doc:"Beyond which it does not go: a version, or a line of versions with a dot at its end"`
	Reason   string     `json:"reason,omitempty" maxLength:"500"`
	By       string     `json:"by,omitempty" doc:"Who wrote it; the server sets it"`
	At       *time.Time `json:"at,omitempty" doc:"When; the server sets it"`
}

// Master is another program that may install updates.
type Master struct {
	Name    string `json:"name"`
	Devices int    `json:"devices" doc:"On how many devices of the site"`
}

// Weekly is a maintenance window that comes back every week.
type Weekly struct {
	Zone    string   `json:"zone,omitempty" maxLength:"60" doc:"IANA name; the site's own when left out"`
	Days    []string `json:"days" minItems:"1" maxItems:"7" enum:"mon,tue,wed,thu,fri,sat,sun"`
	Start   string   `json:"start" pattern:"^[0-2][0-9]:[0-5][0-9]$" patternDescription:"a time of day, such as 22:00" example:"22:00"`
	Minutes int      `json:"minutes" minimum:"15" maximum:"10080"`
}

// Token is an enrolment token without its secret.
type Token struct {
	ID        string     `json:"id"`
	Customer  Ref        `json:"customer"`
	Site      Ref        `json:"site"`
	Note      string     `json:"note,omitempty"`
	Mode      wire.Mode  `json:"mode" enum:"observe,manage"`
	MaxUses   int        `json:"max_uses"`
	Used      int        `json:"used"`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy string     `json:"created_by,omitempty" doc:"The person's name"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	State     string     `json:"state" enum:"open,used_up,expired,revoked"`
}

// NewToken is a token as it is shown once.
type NewToken struct {
	Token
	SecretLine   string   `json:"secret_line" doc:"The line to run on the machine; shown only now"`
	InstallLines []string `json:"install_lines,omitempty" doc:"The lines that also install the agent as a service"`
}

// Approval is a person's answer, yes or no.
type Approval struct {
	ID           string     `json:"id"`
	Customer     Ref        `json:"customer"`
	Level        string     `json:"level" enum:"customer,site,device"`
	Target       string     `json:"target"`
	TargetName   string     `json:"target_name"`
	Provider     string     `json:"provider"`
	Name         string     `json:"name"`
	Architecture string     `json:"architecture,omitempty"`
	Version      string     `json:"version"`
	Origin       string     `json:"origin,omitempty"`
	Answer       string     `json:"answer" enum:"approve,reject,undo"`
	Follow       bool       `json:"follow" doc:"Also answers for newer versions of the same origin"`
	Reason       string     `json:"reason,omitempty"`
	By           Ref        `json:"by"`
	At           time.Time  `json:"at"`
	ForcedUntil  *time.Time `json:"forced_until,omitempty" doc:"Runs outside the window until then"`
	WithdrawnAt  *time.Time `json:"withdrawn_at,omitempty"`
	Despite      []string   `json:"despite,omitempty" doc:"Recalls, by their keys, that it was said in spite of: these do not hold it up"`
}

// Job is one device's work on one item.
type Job struct {
	ID          string      `json:"id"`
	Device      Ref         `json:"device"`
	Customer    Ref         `json:"customer"`
	Item        ItemKey     `json:"item"`
	From        string      `json:"from"`
	To          string      `json:"to"`
	Verb        string      `json:"verb"`
	Decision    string      `json:"decision" doc:"What caused it: an approval's ID or a rule"`
	Attempt     int         `json:"attempt"`
	NotBefore   time.Time   `json:"not_before"`
	NotAfter    time.Time   `json:"not_after"`
	Forced      string      `json:"forced,omitempty" doc:"Who asked for it outside the window"`
	Step        wire.Step   `json:"step,omitempty" doc:"Left out until the device has it"`
	StepSince   *time.Time  `json:"step_since,omitempty"`
	Why         string      `json:"why,omitempty" doc:"While it waits"`
	Result      wire.Result `json:"result,omitempty"`
	Message     string      `json:"message,omitempty"`
	CreatedAt   time.Time   `json:"created_at"`
	EndedAt     *time.Time  `json:"ended_at,omitempty"`
	WithdrawnAt *time.Time  `json:"withdrawn_at,omitempty"`
}

// JobDetail is a job with all that is known of it.
type JobDetail struct {
	Job
	Outcomes []Outcome `json:"outcomes,omitempty"`
	Receipt  *Receipt  `json:"receipt,omitempty"`
}

// Outcome is one thing that happened to a job.
type Outcome struct {
	Seq        int64       `json:"seq"`
	Step       wire.Step   `json:"step"`
	Result     wire.Result `json:"result"`
	At         time.Time   `json:"at" doc:"By the device's clock"`
	ReceivedAt time.Time   `json:"received_at" doc:"By the server's clock"`
	Message    string      `json:"message,omitempty"`
	Detail     string      `json:"detail,omitempty" doc:"The manager's own words"`
	Signed     bool        `json:"signed,omitempty" doc:"The agent signed a record of it, which the job's receipt with this seq gives"`
}

// Receipt is the signed record of a finished job.
type Receipt struct {
	Verified    bool                `json:"verified" doc:"A fresh scan showed the wanted version, active"`
	Before      string              `json:"before"`
	After       string              `json:"after,omitempty" doc:"Left out when it could not be read"`
	Changes     []provider.Change   `json:"changes,omitempty"`
	Conflicts   []provider.Conflict `json:"conflicts,omitempty"`
	BootBefore  string              `json:"boot_before,omitempty"`
	BootAfter   string              `json:"boot_after,omitempty"`
	StartedAt   time.Time           `json:"started_at"`
	EndedAt     time.Time           `json:"ended_at"`
	Key         string              `json:"key,omitempty" doc:"The name of the key that signed"`
	SignatureOK bool                `json:"signature_ok"`
}

// Activity is one link of an audit chain.
type Activity struct {
	Chain     string          `json:"chain"`
	ChainName string          `json:"chain_name"`
	Seq       int64           `json:"seq"`
	At        time.Time       `json:"at"`
	Actor     Ref             `json:"actor"`
	Act       string          `json:"act"`
	Object    string          `json:"object"`
	Device    string          `json:"device,omitempty"`
	Sentence  string          `json:"sentence" doc:"What the actor did, beginning with a verb: put the actor's name in front of it"`
	Hash      string          `json:"hash"`
	Payload   json.RawMessage `json:"payload,omitempty"`
}

// ChainCheck says whether an audit chain is whole.
type ChainCheck struct {
	Chain   string `json:"chain"`
	Name    string `json:"name"`
	Rows    int64  `json:"rows"`
	OK      bool   `json:"ok"`
	Problem string `json:"problem,omitempty" doc:"A sentence that names the first row that does not fit"`
}
