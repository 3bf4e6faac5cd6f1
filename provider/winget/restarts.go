package winget

import "patchbay/provider"

// restartRecord is the file of which programs asked for a restart, and in which boot.
const restartRecord = "winget-restarts.json"

// restarts are those programs, by package and whose they are: what they asked stands nowhere
// else once their installer has ended.
type restarts map[string]string

func restartKey(p program) string { return p.of.ID + "@" + p.item.Scope }

func (w *Winget) boot() string {
	if m, ok := w.env.Host.(provider.MachineHost); ok {
		return m.Machine().Boot
	}
	return ""
}

// wait writes down that a program asked for a restart. Those of other boots had theirs.
func (w *Winget) wait(p program) error {
	boot := w.boot()
	if p.of == nil || boot == "" {
		return nil // then the job alone knows
	}
	r := w.restarts()
	for key, in := range r {
		if in != boot {
			delete(r, key)
		}
	}
	r[restartKey(p)] = boot
	return w.env.WriteRecord(restartRecord, r)
}

func (w *Winget) restarts() restarts {
	r := restarts{}
	w.env.ReadRecord(restartRecord, &r)
	if r == nil { // "null" is JSON too
		return restarts{}
	}
	return r
}

// waiting marks the programs whose restart has not been made.
func (w *Winget) waiting(programs []program) {
	r := w.restarts()
	if len(r) == 0 {
		return
	}
	boot := w.boot()
	for i := range programs {
		if p := &programs[i]; p.of != nil && boot != "" && r[restartKey(*p)] == boot {
			p.item.Restart = true
		}
	}
}
