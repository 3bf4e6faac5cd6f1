package winget

import (
	"context"
	"fmt"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// runningRecord is the file of the installer that this device started last.
const runningRecord = "winget-running.json"

// overdue is when nobody waits for an installer any more: as long as the agent lets its own run.
const overdue = 6 * time.Hour

// running is an installer that was started. It goes on when the agent is stopped, and is not
// the next agent's to wait for as its own child: what names it is what the system calls it.
type running struct {
	Item    string    `json:"item"`
	Key     string    `json:"key"`
	ID      uint32    `json:"id"`
	Program string    `json:"program"`
	Began   time.Time `json:"began"`
}

// left is the installer that was started last, and its process where it is still at work.
func (w *Winget) left() (running, *provider.Process) {
	var r running
	w.env.ReadRecord(runningRecord, &r)
	m, ok := w.env.Host.(provider.MachineHost)
	if !ok || r.ID == 0 {
		return r, nil
	}
	for _, p := range m.Machine().Processes {
		if p.ID == r.ID && p.Program == r.Program && p.Began.Equal(r.Began) {
			return r, &p
		}
	}
	return r, nil
}

// atWork says that an installer that an agent before this one started is still at work. Two
// at once would write over each other, and what the first leaves decides what is to be done.
// One that is at work for longer than any agent waits for its own is ended, as its agent would have.
func (w *Winget) atWork(ctx context.Context) error {
	r, p := w.left()
	if p == nil {
		return nil
	}
	if host, ok := w.env.Host.(provider.Ender); ok && w.env.Now().Sub(r.Began) > overdue {
		w.env.Log.Warn("an installer that an agent before this one began is ended", "item", r.Item, "began", r.Began)
		return host.End(ctx, *p)
	}
	return fmt.Errorf("%w: the installer of %s that began at %s is still at work", provider.ErrBusy, r.Item, r.Began.UTC().Format("2006-01-02 15:04:05 MST"))
}

// began writes down which process an installer is, before it does anything.
func (w *Winget) began(of patch.Item) func(provider.Process) error {
	return func(p provider.Process) error {
		return w.env.WriteRecord(runningRecord, running{of.Name, of.Key().String(), p.ID, p.Program, p.Began})
	}
}
