package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"patchbay/server/view"
	"patchbay/sign"
	"patchbay/wire"
)

// VerifyCommand checks what was signed, without a server.
type VerifyCommand struct {
	Receipt VerifyReceipt `cmd:"" help:"Check a receipt and say what it says."`
	Story   VerifyStory   `cmd:"" help:"Check all receipts of the story of a device or an update, a line each."`
}

// VerifyReceipt checks a receipt.
type VerifyReceipt struct {
	File string `arg:"" type:"existingfile" help:"The receipt: what patchbay job receipt prints."`
	ExpectedAgent
}

// checkedReceipt is what is said of a receipt to programs.
type checkedReceipt struct {
	wire.Receipt
	Key      string `json:"key"`               // name of the key that signed
	KeyKnown bool   `json:"key_known"`         // it is the one that was asked for
	Problem  string `json:"problem,omitempty"` // why it proves nothing; the rest is empty then
}

// Run says what the receipt says, and fails when it proves nothing.
func (v *VerifyReceipt) Run(g *Globals) error {
	data, err := os.ReadFile(v.File)
	if err != nil {
		return fmt.Errorf("reading the receipt: %w", err)
	}
	var s wire.SignedReceipt
	if err := json.Unmarshal(data, &s); err != nil || s.Document.Type != wire.ReceiptDocument {
		return fmt.Errorf("%s is not a receipt, as patchbay job receipt prints them", v.File)
	}
	c, err := v.check(s)
	if err != nil {
		return err
	}
	if g.JSON {
		return g.show(c, nil)
	}
	lines := []string{"The signature is right: nothing was changed since " + c.Key + " signed it."}
	if v.Agent == "" {
		lines = append(lines, serversWord)
	}
	if _, err := fmt.Fprintln(g.Out, sign.ShowReceipt(c.Receipt)); err != nil {
		return err
	}
	return g.lines(lines...)
}

const serversWord = "Whose key that is, is the server's word: compare it with what patchbay-agent trust says on the device (--agent)."

// ExpectedAgent is whose receipts are expected.
type ExpectedAgent struct {
	Agent string `help:"Name of the agent's key, as patchbay-agent trust says it on the device." placeholder:"p256:…"` // not Key, which is the server's
}

// check opens a receipt, and refuses another agent's where one is expected.
func (x ExpectedAgent) check(s wire.SignedReceipt) (checkedReceipt, error) {
	r, key, err := s.Check()
	if err == nil && x.Agent != "" && x.Agent != key {
		err = fmt.Errorf("the receipt is signed by %s and not by %s: another device made it", key, visible(x.Agent))
	}
	if err != nil {
		return checkedReceipt{}, err
	}
	return checkedReceipt{Receipt: r, Key: key, KeyKnown: x.Agent != ""}, nil
}

// VerifyStory checks a story.
type VerifyStory struct {
	File string `arg:"" type:"existingfile" help:"The story: what patchbay device story or patchbay update story prints."`
	ExpectedAgent
}

// Run says of each receipt what it proves, and fails when one proves nothing. The entries of
// a story are the server's word; only its receipts are signed.
func (v *VerifyStory) Run(g *Globals) error {
	data, err := os.ReadFile(v.File)
	if err != nil {
		return fmt.Errorf("reading the story: %w", err)
	}
	s, err := readStory(data)
	if err != nil {
		return fmt.Errorf("%s: %w", v.File, err)
	}
	var checked []checkedReceipt
	wrong := 0
	for _, signed := range s.receipts {
		c, err := v.check(signed)
		if err == nil {
			err = s.foreign(c.Receipt)
		}
		if err != nil {
			wrong++
			c = checkedReceipt{Problem: err.Error()}
		}
		checked = append(checked, c)
	}
	if err := g.show(checked, func(t *table) { storyRows(t, s, checked, v.Agent) }); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d receipts prove nothing", wrong, len(checked))
	}
	return nil
}

// toldStory is the story of a device or of an update, as far as it is checked.
type toldStory struct {
	of       string // what it is of, in words
	asOf     time.Time
	devices  map[string]bool // it is about
	update   *view.Update    // nil for a device's
	receipts []wire.SignedReceipt
}

// readStory tells the two kinds apart by what they are of.
func readStory(data []byte) (toldStory, error) {
	var device view.Story
	var update view.UpdateStory
	if err := json.Unmarshal(data, &device); err == nil && device.Device.ID != "" {
		return toldStory{of: device.Device.Name, asOf: device.AsOf, devices: map[string]bool{device.Device.ID: true}, receipts: device.Receipts}, nil
	}
	if err := json.Unmarshal(data, &update); err != nil || update.Update.ID == "" {
		return toldStory{}, errors.New("this is not a story, as patchbay device story and patchbay update story print them")
	}
	t := toldStory{of: update.Update.Name + " " + update.Update.Available, asOf: update.AsOf, devices: map[string]bool{},
		update: &update.Update, receipts: update.Receipts}
	for _, d := range update.Devices {
		t.devices[d.Device.ID] = true
	}
	return t, nil
}

// foreign says why a receipt does not belong into this story, nil when it does.
func (s toldStory) foreign(r wire.Receipt) error {
	u := s.update
	switch {
	case !s.devices[r.Device]:
		return fmt.Errorf("the receipt is of the device %s, of which this story does not tell", visible(r.Device))
	case u != nil && (r.Target.Provider != u.Provider || r.Target.Name != u.Name || r.Target.To != u.Available && r.Target.From != u.Available):
		return fmt.Errorf("the receipt is of %s %s, and this story of %s", visible(r.Target.Name), visible(r.Target.To), visible(s.of))
	}
	return nil
}

func storyRows(t *table, s toldStory, all []checkedReceipt, agent string) {
	t.row("ENDED", "ITEM", "BEFORE", "AFTER", "VERIFIED", "SIGNED BY")
	for _, c := range all {
		if c.Problem != "" {
			t.row("-", "-", "-", "-", "NO: "+c.Problem)
			continue
		}
		if n := c.Notice; n != nil {
			t.row(c.EndedAt.UTC().Format(time.RFC3339), "notice", "-", "-", "answer: "+cmp.Or(visible(n.Answer), "none"), c.Key)
			continue
		}
		verified := "no"
		if c.Verified {
			verified = "yes"
		}
		t.row(c.EndedAt.UTC().Format(time.RFC3339), c.Target.Name, c.Before, c.After, verified, c.Key)
	}
	t.row(fmt.Sprintf("%d receipts of %s, as of %s.", len(all), s.of, s.asOf.UTC().Format(time.RFC3339)))
	if agent == "" && len(all) > 0 {
		t.row(serversWord)
	}
}
