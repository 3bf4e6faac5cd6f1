package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"patchbay/sign"
	"patchbay/wire"
)

// VerifyCommand checks what was signed, without a server.
type VerifyCommand struct {
	Receipt VerifyReceipt `cmd:"" help:"Check a receipt and say what it says."`
}

// VerifyReceipt checks a receipt.
type VerifyReceipt struct {
	File string `arg:"" type:"existingfile" help:"The receipt: what patchbay job receipt prints."`
	// Agent has a name of its own: Key is the server's among the globals.
	Agent string `help:"Name of the agent's key, as patchbay-agent trust says it on the device." placeholder:"p256:…"`
}

// checkedReceipt is what is said of a receipt to programs.
type checkedReceipt struct {
	wire.Receipt
	Key      string `json:"key"`       // name of the key that signed
	KeyKnown bool   `json:"key_known"` // it is the one that was asked for
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
	r, key, err := s.Check()
	if err != nil {
		return err
	}
	if v.Agent != "" && v.Agent != key {
		return fmt.Errorf("the receipt is signed by %s and not by %s: another device made it", key, visible(v.Agent))
	}
	if g.JSON {
		return g.show(checkedReceipt{r, key, v.Agent != ""}, nil)
	}
	lines := []string{"The signature is right: nothing was changed since " + key + " signed it."}
	if v.Agent == "" {
		lines = append(lines, "Whose key that is, is the server's word: compare it with what patchbay-agent trust says on the device (--agent).")
	}
	if _, err := fmt.Fprintln(g.Out, sign.ShowReceipt(r)); err != nil {
		return err
	}
	return g.lines(lines...)
}
