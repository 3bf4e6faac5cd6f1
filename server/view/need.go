package view

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/verdict"
	"patchbay/wire"
)

// Need is one item on one device with something to do, and the one verdict on it.
type Need struct {
	ID        string         `json:"id" doc:"Opaque and stable: the device and the item"`
	Device    Ref            `json:"device"`
	Customer  Ref            `json:"customer"`
	Site      Ref            `json:"site"`
	Item      ItemKey        `json:"item"`
	Title     string         `json:"title,omitempty" doc:"What its publisher calls it, where the item's name is a number"`
	Installed string         `json:"installed"`
	Previous  string         `json:"previous,omitempty" doc:"The version before that one, which the device can bring back"`
	Available string         `json:"available,omitempty"`
	Origin    string         `json:"origin,omitempty"`
	Suite     string         `json:"suite,omitempty"`
	Classes   []patch.Class  `json:"classes,omitempty"`
	Severity  patch.Severity `json:"severity,omitempty"`
	Step      string         `json:"step,omitempty" doc:"How soon it is to be done, by the gravest of what it mends: defer, scheduled, out-of-cycle or immediate"`
	Why       string         `json:"why,omitempty" doc:"A sentence on that, with what it rests on"`
	Size      int64          `json:"size,omitempty" doc:"Bytes to download; left out when not known"`
	Reboot    patch.Answer   `json:"reboot,omitempty"`
	Block     patch.Block    `json:"block,omitempty"`
	Licence   bool           `json:"licence,omitempty" doc:"It is optional only for a licence that nobody agreed to: whoever approves it agrees"`
	Source    string         `json:"source,omitempty" doc:"The source package, where it has another name"`

	Reversibility    patch.Reversibility `json:"reversibility,omitempty" doc:"How the update can be taken back; left out when not known"`
	ReversibilityWhy string              `json:"reversibility_why,omitempty"`

	Update  string          `json:"update,omitempty" doc:"The ID of the update it waits for"`
	Verdict verdict.Verdict `json:"verdict"`
	Held    []Recall        `json:"held,omitempty" doc:"Recalls of the version on offer: nothing installs it while one holds"`
	Job     *NeedJob        `json:"job,omitempty" doc:"The job at work on it"`
	Can     NeedCan         `json:"can"`
}

// Security reports whether the need is for a security update.
func (n Need) Security() bool {
	for _, c := range n.Classes {
		if c == patch.Security {
			return true
		}
	}
	return false
}

// NeedJob is where the job of a need stands.
type NeedJob struct {
	ID    string     `json:"id"`
	Verb  string     `json:"verb" doc:"install or undo"`
	Step  wire.Step  `json:"step,omitempty"`
	Since *time.Time `json:"since,omitempty"`
	Why   string     `json:"why,omitempty"`
}

// NeedCan says per act why it is not possible; "" means that it is.
type NeedCan struct {
	Approve string `json:"approve"`
	Reject  string `json:"reject"`
	Force   string `json:"force"`
	Retry   string `json:"retry"`
	Undo    string `json:"undo"`
}

// NeedDetail is a need with its whole chain, and the answers and jobs it rests on.
type NeedDetail struct {
	Need
	Mends
	Chain     []ChainLink `json:"chain,omitempty"`
	Approvals []Approval  `json:"approvals,omitempty" doc:"Filled by the API from the store"`
	Jobs      []Job       `json:"jobs,omitempty" doc:"Filled by the API from the store, newest first"`
}

// Mends is what an update mends, and since when that can be mended.
type Mends struct {
	Advisories []string   `json:"advisories,omitempty" doc:"Such as CVE-2026-0001"`
	FirstAt    *time.Time `json:"first_at,omitempty" doc:"When the first update came out that carried what this one mends; left out when that is this one, or not known"`
}

// ChainLink is one link of the chain: met or not, and why.
type ChainLink struct {
	Link     verdict.Link `json:"link"`
	Met      bool         `json:"met"`
	Sentence string       `json:"sentence,omitempty"`
	At       *time.Time   `json:"at,omitempty"`
}

// Update is one version on offer, over all devices that need it.
type Update struct {
	ID         string         `json:"id" doc:"Opaque: provider, name, version and origin"`
	Provider   string         `json:"provider"`
	Name       string         `json:"name"`
	Title      string         `json:"title,omitempty" doc:"What its publisher calls it, where the name is a number"`
	Available  string         `json:"available"`
	Origin     string         `json:"origin,omitempty"`
	Suite      string         `json:"suite,omitempty"`
	Classes    []patch.Class  `json:"classes,omitempty"`
	Severity   patch.Severity `json:"severity,omitempty"`
	Size       int64          `json:"size,omitempty"`
	ReleasedAt *time.Time     `json:"released_at,omitempty"`
	ReleasedBy string         `json:"released_by,omitempty"`
	Reboot     patch.Answer   `json:"reboot,omitempty"`
	Reversible Reversible     `json:"reversible"`
	FirstSeen  time.Time      `json:"first_seen"`
	Devices    int            `json:"devices"`
	Customers  int            `json:"customers"`
	Counts     Counts         `json:"counts"`
	Silent     int            `json:"silent" doc:"Needs of these that are on silent devices"`
	From       []string       `json:"from,omitempty" doc:"Installed versions, at most five"`
}

// ClassCount is how many updates of one class are on offer.
type ClassCount struct {
	Class     patch.Class     `json:"class" enum:"security,bugfix,critical,feature,definition,rollup,service_pack,driver,tool,preview,other"`
	Updates   int             `json:"updates"`
	Open      int             `json:"open" doc:"Of these, those that are not verified on every device"`
	Devices   int             `json:"devices" doc:"On which one of it is not verified"`
	Waiting   int             `json:"waiting" doc:"Needs of it that wait for a person"`
	Customers []ClassCustomer `json:"customers,omitempty" doc:"Where needs of it wait for a person, the most first"`
}

// ClassCustomer is how many needs of a class wait for a person at a customer.
type ClassCustomer struct {
	Customer Ref `json:"customer"`
	Waiting  int `json:"waiting"`
}

// UpdateStory is all that happened around one update, to be taken along.
type UpdateStory struct {
	Update   Update               `json:"update"`
	AsOf     time.Time            `json:"as_of"`
	Devices  []UpdateDevice       `json:"devices" doc:"That need it, or needed it in the last 30 days"`
	Entries  []TimelineEntry      `json:"entries" doc:"Answers, orders and outcomes, the newest first"`
	Receipts []wire.SignedReceipt `json:"receipts" doc:"Of every job for it that is over, as the agents signed them"`
}

// UpdateDevice is where an update stands on one device.
type UpdateDevice struct {
	Device    Ref             `json:"device"`
	Customer  Ref             `json:"customer"`
	Site      Ref             `json:"site"`
	Installed string          `json:"installed"`
	Verdict   verdict.Verdict `json:"verdict"`
}

// Reversible counts devices by how the update can be taken back there.
type Reversible struct {
	ByManager  int `json:"by_manager" doc:"A: the manager takes it back by itself"`
	ByKept     int `json:"by_kept" doc:"B: the old version is kept before"`
	BySnapshot int `json:"by_snapshot" doc:"C: only a snapshot brings it back"`
	NotAtAll   int `json:"not_at_all" doc:"D: nothing does"`
	Unknown    int `json:"unknown"`
}

// Count adds one device of a class.
func (r *Reversible) Count(c patch.Reversibility) {
	switch c {
	case patch.ByManager:
		r.ByManager++
	case patch.ByKept:
		r.ByKept++
	case patch.BySnapshot:
		r.BySnapshot++
	case patch.NotAtAll:
		r.NotAtAll++
	default:
		r.Unknown++
	}
}

// Counts are needs by state.
type Counts struct {
	Verified    int `json:"verified"`
	Moving      int `json:"moving"`
	WaitsTime   int `json:"waits_time"`
	WaitsPerson int `json:"waits_person"`
	Failed      int `json:"failed"`
	Excepted    int `json:"excepted"`
	Unknown     int `json:"unknown"`
}

// Count adds one need of a state.
func (c *Counts) Count(s verdict.State) {
	switch s {
	case verdict.Gone:
	case verdict.Good:
		c.Verified++
	case verdict.Moving:
		c.Moving++
	case verdict.WaitsTime:
		c.WaitsTime++
	case verdict.WaitsPerson:
		c.WaitsPerson++
	case verdict.Bad:
		c.Failed++
	case verdict.Excused:
		c.Excepted++
	default:
		c.Unknown++
	}
}

// Of is how many needs are in the state.
func (c Counts) Of(s verdict.State) int {
	switch s {
	case verdict.Good:
		return c.Verified
	case verdict.Moving:
		return c.Moving
	case verdict.WaitsTime:
		return c.WaitsTime
	case verdict.WaitsPerson:
		return c.WaitsPerson
	case verdict.Bad:
		return c.Failed
	case verdict.Excused:
		return c.Excepted
	case verdict.NotKnown:
		return c.Unknown
	}
	return 0
}

// UpdateDetail is an update with where it stands per customer.
type UpdateDetail struct {
	Update
	Mends
	ByCustomer []UpdateCustomer `json:"by_customer,omitempty"`
}

// UpdateCustomer is where an update stands at one customer.
type UpdateCustomer struct {
	Customer Ref    `json:"customer"`
	Counts   Counts `json:"counts"`
	Devices  int    `json:"devices"`
	Silent   int    `json:"silent"`
}

// NeedID is the ID of the need for an item of a device. It carries the device's own ID, so
// that the device is found without an index; the item is hashed.
func NeedID(device string, item patch.Key) string {
	return "need_" + strings.TrimPrefix(device, patch.DeviceID+"_") + "_" +
		digest(item.Provider, item.Scope, item.Name, item.Architecture, item.Instance)[:16]
}

// NeedDevice is the device that a need's ID names, "" when the text is no such ID.
func NeedDevice(need string) string {
	rest, ok := strings.CutPrefix(need, "need_")
	if !ok {
		return ""
	}
	device, _, ok := strings.Cut(rest, "_")
	if !ok || !patch.IsID(patch.DeviceID, patch.DeviceID+"_"+device) {
		return ""
	}
	return patch.DeviceID + "_" + device
}

// UpdateID is the ID of one version on offer.
func UpdateID(provider, name, version, origin string) string {
	return "upd_" + digest(provider, name, version, origin)
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		io.WriteString(h, strconv.Itoa(len(s))+":"+s)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
