package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"patchbay/agent/disk"
	"patchbay/wire/trust"
)

const beliefFile = "trust.json"

// Belief is what the agent was told since it was let in and goes on believing after a restart.
type Belief struct {
	State    trust.State `json:"state"`
	Nonce    string      `json:"nonce,omitempty"`    // the last the server gave
	Hardware []string    `json:"hardware,omitempty"` // of the machine it was given to; see agent.Options.Hardware
}

// LoadBelief reads what the agent believes. What was let in before there were documents, or
// lost the file, begins with what it was told at enrolment.
func LoadBelief(dir disk.Dir, id Identity) (Belief, error) {
	fresh := Belief{State: id.State()}
	data, err := dir.Read(beliefFile)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return fresh, fmt.Errorf("reading what the agent believes: %w", err)
	}
	var b Belief
	if err := json.Unmarshal(data, &b); err != nil {
		return fresh, fmt.Errorf("reading what the agent believes: %w", err)
	}
	return b, nil
}

// Forget removes all that makes a machine the one it is: identity, keys and beliefs.
func Forget(dir disk.Dir) error {
	for _, name := range []string{file, keyFile, nextFile, beliefFile} {
		if err := dir.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// SaveBelief writes what the agent believes.
func SaveBelief(dir disk.Dir, b Belief) error {
	data, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encoding what the agent believes: %w", err)
	}
	return dir.Write(beliefFile, append(data, '\n'))
}
