package winget

import (
	"fmt"
	"time"

	"patchbay/provider"
)

// runningRecord is the file of the installer that this device started last.
const runningRecord = "winget-running.json"

// running is an installer that was started. It goes on when the agent is stopped, and is not
// the next agent's to wait for as its own child: what names it is what the system calls it.
type running struct {
	Item    string    `json:"item"`
	ID      uint32    `json:"id"`
	Program string    `json:"program"`
	Began   time.Time `json:"began"`
}

// atWork says that an installer that an agent before this one started is still at work. Two
// at once would write over each other, and what the first leaves decides what is to be done.
func (w *Winget) atWork() error {
	var r running
	w.env.ReadRecord(runningRecord, &r)
	m, ok := w.env.Host.(provider.MachineHost)
	if !ok || r.ID == 0 {
		return nil
	}
	for _, p := range m.Machine().Processes {
		if p.ID == r.ID && p.Program == r.Program && p.Began.Equal(r.Began) {
			return fmt.Errorf("%w: the installer of %s that began at %s is still at work", provider.ErrBusy, r.Item, r.Began.UTC().Format("2006-01-02 15:04:05 MST"))
		}
	}
	return nil
}

// began writes down which process an installer is, before it does anything.
func (w *Winget) began(item string) func(provider.Process) error {
	return func(p provider.Process) error {
		return w.env.WriteRecord(runningRecord, running{item, p.ID, p.Program, p.Began})
	}
}
