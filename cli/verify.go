package cli

import (
	"encoding/json"
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
	Story   VerifyStory   `cmd:"" help:"Check all receipts of a device's story, a line each."`
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
	File string `arg:"" type:"existingfile" help:"The story: what patchbay device story prints."`
	ExpectedAgent
}

// Run says of each receipt what it proves, and fails when one proves nothing. The entries of
// a story are the server's word; only its receipts are signed.
func (v *VerifyStory) Run(g *Globals) error {
	data, err := os.ReadFile(v.File)
	if err != nil {
		return fmt.Errorf("reading the story: %w", err)
	}
	var s view.Story
	if err := json.Unmarshal(data, &s); err != nil || s.Device.ID == "" {
		return fmt.Errorf("%s is not a story, as patchbay device story prints them", v.File)
	}
	var checked []checkedReceipt
	wrong := 0
	for _, signed := range s.Receipts {
		c, err := v.check(signed)
		if err == nil && c.Device != s.Device.ID {
			err = fmt.Errorf("the receipt is of the device %s and not of this one", visible(c.Device))
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

func storyRows(t *table, s view.Story, all []checkedReceipt, agent string) {
	t.row("ENDED", "ITEM", "BEFORE", "AFTER", "VERIFIED", "SIGNED BY")
	for _, c := range all {
		if c.Problem != "" {
			t.row("-", "-", "-", "-", "NO: "+c.Problem)
			continue
		}
		verified := "no"
		if c.Verified {
			verified = "yes"
		}
		t.row(c.EndedAt.UTC().Format(time.RFC3339), c.Target.Name, c.Before, c.After, verified, c.Key)
	}
	t.row(fmt.Sprintf("%d receipts of %s, as of %s.", len(all), s.Device.Name, s.AsOf.UTC().Format(time.RFC3339)))
	if agent == "" && len(all) > 0 {
		t.row(serversWord)
	}
}
