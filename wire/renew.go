package wire

import "time"

// Renewal is an agent's request for a new certificate. It travels in an envelope signed by
// the agent's key, so that it is believed also when the last certificate has run out: an
// agent that was away for a year comes back without anybody's help, as long as the server
// knows its key.
//
// A request whose CSR is for another key than the one that signed asks for another identity:
// this machine was told (Doubt.Become) that it is a copy of another.
type Renewal struct {
	Version int       `json:"v"`
	Agent   string    `json:"agent"`
	CSR     []byte    `json:"csr"`            // PKCS #10, DER; only its key is taken
	Sent    time.Time `json:"sent"`           // by the agent's own clock
	BootID  string    `json:"boot,omitempty"` // of the machine the agent runs on
	Become  string    `json:"become,omitempty"`
	Facts   *Facts    `json:"facts,omitempty"` // of a machine that becomes a new device
}

// Renewed is the answer to a Renewal. Its Agent and Device are others than before only for a
// machine that became a new device.
type Renewed struct {
	Version     int        `json:"v"`
	Agent       string     `json:"agent"`
	Device      string     `json:"device"`
	Certificate []byte     `json:"certificate"` // DER, by the server's CA
	CA          []byte     `json:"ca"`          // DER
	Documents   []Envelope `json:"documents,omitempty"`
}

// Doubt is the answer, instead of a Reply, to an agent of whom it is not sure that it is the
// one it says it is: another machine with the same key was heard not long ago. Nothing was
// taken from it, and it is ordered nothing.
type Doubt struct {
	Version int    `json:"v"`
	Why     string `json:"why"`              // a sentence
	Next    int    `json:"next"`             // seconds until it should ask again
	Become  string `json:"become,omitempty"` // it is a copy: it asks for an identity of its own with this word
}
