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
	r := restarts{restartKey(p): boot}
	for key, in := range w.restarts() {
		if in == boot {
			r[key] = in
		}
	}
	return w.env.WriteRecord(restartRecord, r)
}

func (w *Winget) restarts() (r restarts) {
	w.env.ReadRecord(restartRecord, &r)
	return r
}

// waiting marks the programs whose restart has not been made.
func (w *Winget) waiting(programs []program) {
	r := w.restarts()
	if len(r) == 0 {
		return // to ask for the boot costs more
	}
	boot := w.boot()
	for i := range programs {
		p := &programs[i]
		p.item.Restart = p.of != nil && boot != "" && r[restartKey(*p)] == boot
	}
}
