package view

import "time"

// Feed is one feed that the server knows the world by.
type Feed struct {
	Name       string       `json:"name"`
	Kind       string       `json:"kind"`
	From       []string     `json:"from" doc:"Addresses, without their query, files or folders; empty where it comes in bundles only"`
	Every      int          `json:"every_seconds" doc:"How often it is looked for; 0: never"`
	Standing   string       `json:"standing" enum:"fresh,failing,held,old,missing" doc:"failing: the last look failed, and what holds is young; held: a newer version waits for a person; old: what holds is older than it should be; missing: nothing holds"`
	Busy       bool         `json:"busy" doc:"It is being got at this moment"`
	Generation int64        `json:"generation" doc:"Counts the versions that held"`
	Version    *FeedVersion `json:"version,omitempty" doc:"The one that holds"`
	FreshAt    *time.Time   `json:"fresh_at,omitempty" doc:"When its publisher last had nothing newer: the age of what holds"`
	CheckedAt  *time.Time   `json:"checked_at,omitempty" doc:"When all of it was last looked at"`
	NextAt     *time.Time   `json:"next_at,omitempty" doc:"When it is looked for next"`
	Held       *FeedVersion `json:"held,omitempty" doc:"A newer version, which waits for a person"`
	Why        string       `json:"why,omitempty" doc:"Why it waits: a sentence"`
	Error      *FeedError   `json:"error,omitempty" doc:"Why nothing newer came"`
	Can        FeedCan      `json:"can"`
}

// FeedVersion is one version of a feed.
type FeedVersion struct {
	SHA256    string    `json:"sha256" doc:"By which it is known"`
	FetchedAt time.Time `json:"fetched_at" doc:"When it came from its publisher"`
	Imported  bool      `json:"imported" doc:"It came in a bundle"`
	Files     int       `json:"files"`
	Size      int64     `json:"size" doc:"Bytes"`
	Records   int       `json:"records"`
	Refused   int       `json:"refused" doc:"Records that are not what they say, and were left out"`
	Reasons   []string  `json:"reasons" doc:"Some of these, a sentence each"`
	Before    int       `json:"before" doc:"Records of the version before it"`
	Added     int       `json:"added"`
	Removed   int       `json:"removed"`
	Changed   int       `json:"changed" doc:"Records that say another thing of versions than before"`
}

// FeedError is why nothing newer came.
type FeedError struct {
	Sentence string    `json:"sentence"`
	Since    time.Time `json:"since"`
	At       time.Time `json:"at" doc:"When it was last tried"`
	Tries    int       `json:"tries"`
}

// FeedCan says why something cannot be done with a feed; empty where it can.
type FeedCan struct {
	Accept string `json:"accept"`
	Fetch  string `json:"fetch"`
}

// FeedImport is what became of one feed of a bundle.
type FeedImport struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome" enum:"taken,held,unchanged,older,failed"`
	Why     string `json:"why,omitempty" doc:"Why it was not taken: a sentence"`
	Records int    `json:"records" doc:"Of the version that holds, or is held"`
}
