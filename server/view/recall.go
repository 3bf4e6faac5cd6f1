package view

import (
	"time"

	"patchbay/server/assess"
)

// Recall says that a version was taken back, or is known to make trouble.
type Recall struct {
	Key       string     `json:"key" doc:"The feed that says so, and the ID there"`
	Recalled  bool       `json:"recalled" doc:"Whether whoever made it took it back; otherwise it is known to make trouble"`
	Publisher string     `json:"publisher" doc:"Who says so"`
	Owner     string     `json:"owner" enum:"vendor,msp" doc:"Whose turn it is to end it"`
	Sentence  string     `json:"sentence"`
	Since     time.Time  `json:"since"`
	Resolved  *time.Time `json:"resolved,omitempty" doc:"When it ends, where that is known"`
	Source    string     `json:"source,omitempty" doc:"An address that says more: text of a stranger"`
}

// RecallOf turns a recall into its JSON form.
func RecallOf(r assess.Recall) Recall {
	v := Recall{Key: r.Key(), Recalled: r.Back, Publisher: r.Publisher, Owner: "vendor", Sentence: r.Sentence(), Since: r.Since, Resolved: some(r.Resolved), Source: r.Source}
	if r.Own {
		v.Owner = "msp"
	}
	return v
}
