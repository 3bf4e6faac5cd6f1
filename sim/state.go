package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stateFile is where a part of a fleet is kept.
func (s *Simulator) stateFile(dir string) string {
	return filepath.Join(dir, fmt.Sprintf("fleet-%d-of-%d.json", s.options.Part+1, s.options.Parts))
}

// saved is a fleet at rest.
type saved struct {
	Shape    Shape             `json:"shape"`
	Tokens   map[int]string    `json:"tokens,omitempty"`
	Outcomes Outcomes          `json:"outcomes"`
	Copies   int               `json:"copies,omitempty"`
	Machines []json.RawMessage `json:"machines"`
}

// Save writes the fleet to a folder, whole or not at all. It is for a fleet that does not
// run: what was said and not answered is said again.
func (s *Simulator) Save(dir string) error {
	out := saved{Shape: s.options.Shape, Tokens: s.options.Tokens, Outcomes: s.account.Outcomes, Copies: s.account.Copies}
	for _, m := range s.machines {
		out.Machines = append(out.Machines, m.disk())
	}
	text, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encoding the fleet: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the fleet's folder: %w", err)
	}
	file := s.stateFile(dir)
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return fmt.Errorf("writing the fleet: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("writing the fleet: %w", err)
	}
	return nil
}

// Load takes a fleet up where it was saved. It reports false when the folder has none.
func (s *Simulator) Load(dir string) (bool, error) {
	text, err := os.ReadFile(s.stateFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the fleet: %w", err)
	}
	var in saved
	if err := json.Unmarshal(text, &in); err != nil {
		return false, fmt.Errorf("reading the fleet: %w", err)
	}
	if in.Shape != s.options.Shape {
		return false, fmt.Errorf("the fleet in that folder is another one (%s): give its numbers, or another folder", in.Shape)
	}
	s.machines = nil
	for _, disk := range in.Machines {
		m, err := s.boot(disk)
		if err != nil {
			return false, err
		}
		m.mirror = m.Agent != ""
		s.machines = append(s.machines, m)
	}
	s.options.Tokens, s.account.Outcomes, s.account.Copies = in.Tokens, in.Outcomes, in.Copies
	return true, nil
}
