package view

import "time"

// Product is what is known of a product, also of one that no device has.
type Product struct {
	Name    string        `json:"name"`
	Title   string        `json:"title"`
	Known   bool          `json:"known" doc:"Whether the feed on ends of support knows it"`
	Cycles  []Support     `json:"cycles,omitempty" doc:"Its lines of releases, the newest first; at most 40"`
	Support string        `json:"support" doc:"A sentence on its ends of support"`
	Survey  ProductSurvey `json:"survey" doc:"What the feeds that hold say of it"`
	Own     ProductRecord `json:"own" doc:"How it went here"`
}

// ProductSurvey is what the feeds that hold say of a product. They are read for it, which takes a
// while: until then it says how far that is.
type ProductSurvey struct {
	Done     bool          `json:"done"`
	At       *time.Time    `json:"at,omitempty" doc:"When it was done"`
	Feed     string        `json:"feed,omitempty" doc:"That is read at this moment"`
	Read     int           `json:"read" doc:"Feeds that were read"`
	Of       int           `json:"of" doc:"Feeds to be read"`
	Trouble  string        `json:"trouble,omitempty" doc:"A sentence"`
	Years    []ProductYear `json:"years,omitempty" doc:"The newest first"`
	Undated  int           `json:"undated" doc:"Advisories without a day"`
	Packages []string      `json:"packages,omitempty" doc:"Names in feeds that were taken for it"`
	CVEs     int           `json:"cves"`
	Sources  []ProductFeed `json:"sources,omitempty" doc:"How one learns of it"`
	Speed    ProductSpeed  `json:"speed"`
	Used     []ProductUsed `json:"used,omitempty" doc:"By attackers, the newest first"`
	Cut      bool          `json:"cut,omitempty" doc:"There is more than is counted"`
}

// ProductYear counts what came out in one year.
type ProductYear struct {
	Year       int `json:"year"`
	Advisories int `json:"advisories"`
	Mending    int `json:"mending" doc:"Of these, with a version that mends it"`
}

// ProductFeed is a feed that speaks of it.
type ProductFeed struct {
	Feed       string     `json:"feed"`
	Who        string     `json:"who" doc:"Whose word it is: a phrase"`
	Advisories int        `json:"advisories"`
	First      *time.Time `json:"first,omitempty"`
	Last       *time.Time `json:"last,omitempty"`
}

// ProductSpeed is how long it took from a CVE to the first advisory that mends it.
type ProductSpeed struct {
	Known  int `json:"known" doc:"CVEs of which both days are told: what the days are of"`
	Of     int `json:"of" doc:"CVEs that an advisory mends"`
	Median int `json:"median_days"`
	Slow   int `json:"slow_days" doc:"Nine of ten were not slower"`
	Before int `json:"before" doc:"Of those known, mended by the day that the CVE was told"`
}

// ProductUsed is a vulnerability that attackers use.
type ProductUsed struct {
	CVE        string    `json:"cve"`
	Title      string    `json:"title"`
	Added      time.Time `json:"added"`
	Ransomware bool      `json:"ransomware"`
}

// ProductRecord is how installing it went here: the newest jobs of items that are called so.
type ProductRecord struct {
	Jobs     int `json:"jobs" doc:"That ended: the denominator"`
	Failed   int `json:"failed" doc:"Of these"`
	Rebooted int `json:"rebooted" doc:"Of these, those for which the machine was restarted"`
	Most     int `json:"most" doc:"At most so many are looked at"`
}
