package agent

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/agent/identity"
	"patchbay/wire"
)

// Nothing in a prepared image tells whose disk it was.
func TestAPreparedImageBelongsToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		w.order(job("curl", "1.0", "1.1"))
		w.start()
		pass(time.Hour)
		w.stop()
		if err := PrepareImage(w.disk, nil); err != nil {
			t.Fatal(err)
		}
		if len(w.disk.files) != 0 {
			t.Errorf("left behind: %d files", len(w.disk.files))
		}
		if _, err := New(w.options()); !errors.Is(err, identity.ErrNone) {
			t.Errorf("it still is somebody: %v", err)
		}
		if _, err := Invited(w.disk); !errors.Is(err, identity.ErrNone) {
			t.Errorf("it is invited: %v", err)
		}
		want := Invitation{Server: "https://patchbay.example:8443", Token: w.server.token(), Mode: wire.Observe}
		if err := PrepareImage(w.disk, &want); err != nil {
			t.Fatal(err)
		}
		if got, err := Invited(w.disk); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
		w.enroll()
		if err := Accepted(w.disk); err != nil {
			t.Fatal(err)
		}
		var names []string
		for name := range w.disk.files {
			names = append(names, name)
		}
		if slices.Contains(names, invitationFile) {
			t.Error("the token is kept after it was used")
		}
	})
}

// An installer's token lets in whoever is nobody yet, and changes nothing for who is somebody:
// an upgrade keeps the identity.
func TestInvitingKeepsAnIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		invitation := Invitation{Server: "https://patchbay.example:8443", Token: w.server.token(), Mode: wire.Manage}
		before, err := identity.Load(w.disk)
		if err != nil {
			t.Fatal(err)
		}
		if err := Invite(w.disk, invitation); err != nil {
			t.Fatal(err)
		}
		if _, err := Invited(w.disk); !errors.Is(err, identity.ErrNone) {
			t.Errorf("a machine that was let in is invited: %v", err)
		}
		if after, err := identity.Load(w.disk); err != nil || after.Device != before.Device {
			t.Errorf("it is %s now, %v", after.Device, err)
		}
		if err := PrepareImage(w.disk, nil); err != nil {
			t.Fatal(err)
		}
		if err := Invite(w.disk, invitation); err != nil {
			t.Fatal(err)
		}
		if got, err := Invited(w.disk); err != nil || got != invitation {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
