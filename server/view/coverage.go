package view

import "time"

// CoverageFeed is a feed that speaks of what a provider has installed, and how old it is.
type CoverageFeed struct {
	Name     string     `json:"name"`
	Standing string     `json:"standing" enum:"fresh,failing,held,old,missing"`
	FreshAt  *time.Time `json:"fresh_at,omitempty" doc:"When its publisher last had nothing newer"`
	Trouble  string     `json:"trouble,omitempty" doc:"Why nothing newer came: a sentence"`
	Since    *time.Time `json:"since,omitempty" doc:"Since when nothing newer came"`
}

// Coverage is what of one provider, on all devices of one system, is looked at for advisories.
// Items are the denominator of Compared, Foreign and Unmapped; Devices that of Silent and Unread.
type Coverage struct {
	ID       string         `json:"id"`
	System   string         `json:"system" doc:"What devices call it"`
	Provider string         `json:"provider" doc:"Empty for devices of which nothing was read"`
	Release  string         `json:"release,omitempty" doc:"Whose advisories it is compared with, as the schema of OSV writes it; left out where with none"`
	Devices  int            `json:"devices"`
	Silent   int            `json:"silent" doc:"Of these, not heard of for too long: what they have is as old as that"`
	Unread   int            `json:"unread" doc:"Of these, those that could not be read, or never were"`
	Since    *time.Time     `json:"since,omitempty" doc:"The longest that any of them could not be read"`
	Items    int            `json:"items" doc:"Installed, as last read"`
	Compared int            `json:"compared" doc:"Of these, compared with advisories"`
	Foreign  int            `json:"foreign" doc:"Of these, of another publisher than the system's: not compared"`
	Unmapped int            `json:"unmapped" doc:"Of these, those of which no feed here speaks: not compared"`
	Feeds    []CoverageFeed `json:"feeds,omitempty" doc:"That speak of it"`
	Why      []string       `json:"why,omitempty" doc:"Why something is not looked at, a sentence each; left out where everything is"`
}

// CoverageSummary is how much of everything is looked at.
type CoverageSummary struct {
	Devices  int       `json:"devices" doc:"Enrolled: the denominator"`
	Looked   int       `json:"looked" doc:"Of these, those of which something is compared with advisories"`
	Blind    int       `json:"blind" doc:"Of these, those of which nothing is"`
	Silent   int       `json:"silent" doc:"Of those looked at, silent ones: what they have may be another by now"`
	Items    int       `json:"items"`
	Compared int       `json:"compared"`
	Foreign  int       `json:"foreign"`
	Unmapped int       `json:"unmapped"`
	AsOf     time.Time `json:"as_of"`
}
