package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/wire"
)

const invitationFile = "invitation.json"

// Invitation lets a machine be let in by itself: one that is started from an image, or one on
// which an installer was given a token.
type Invitation struct {
	Server string    `json:"server"`
	Token  string    `json:"token"` // for as many uses as machines are started
	Mode   wire.Mode `json:"mode"`
}

// PrepareImage takes out of a state folder all that makes this machine the one it is, so
// that its disk can be copied: identity and key, what was believed, orders, jobs and what
// was still to be told. With an invitation each copy is let in when it first starts.
func PrepareImage(dir disk.Dir, invitation *Invitation) error {
	if err := identity.Forget(dir); err != nil { // first: what is left without it belongs to nobody
		return err
	}
	for _, name := range []string{ordersFile, statusFile, journal.Name, journal.Damaged, inventory.File, invitationFile} {
		if err := dir.Remove(name); err != nil {
			return err
		}
	}
	if invitation == nil {
		return nil
	}
	return invite(dir, *invitation)
}

// Invite has a machine that is not let in yet be let in when its agent next starts. One that
// has an identity keeps it.
func Invite(dir disk.Dir, invitation Invitation) error {
	if _, err := identity.Load(dir); !errors.Is(err, identity.ErrNone) {
		return err
	}
	return invite(dir, invitation)
}

func invite(dir disk.Dir, invitation Invitation) error {
	data, err := json.Marshal(invitation)
	if err != nil {
		return fmt.Errorf("encoding the invitation: %w", err)
	}
	return dir.Write(invitationFile, data)
}

// Invited gives the invitation that this machine was given. It is identity.ErrNone when
// there is none.
func Invited(dir disk.Dir) (Invitation, error) {
	var i Invitation
	data, err := dir.Read(invitationFile)
	if errors.Is(err, fs.ErrNotExist) {
		return i, identity.ErrNone
	}
	if err == nil {
		err = json.Unmarshal(data, &i)
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("reading the invitation: %w", err)
	}
	return i, nil
}

// Accepted removes the invitation, which has a token in it, once this machine is let in.
func Accepted(dir disk.Dir) error { return dir.Remove(invitationFile) }
