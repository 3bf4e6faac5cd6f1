package view

import "time"

// Overview answers: is everything safe, what is late, what broke, what waits for a person?
type Overview struct {
	Sentence          string          `json:"sentence"`
	AsOf              time.Time       `json:"as_of"`
	Posture           Posture         `json:"posture"`
	Attention         []Attention     `json:"attention"`
	Failed            []Need          `json:"failed"`
	Waits             []Update        `json:"waits"`
	Silent            []Device        `json:"silent"`
	Running           []Job           `json:"running"`
	Worst             []WorstCustomer `json:"worst"`
	Trend             []TrendDay      `json:"trend"`
	SecurityOpenByAge []AgeCount      `json:"security_open_by_age"`
}

// Attention is one thing somebody should look at, and where.
type Attention struct {
	Kind     string `json:"kind" enum:"not_back,failed,silent,waits_person,unknown,never_scanned,security,enrol,trust_ended,trust_ends,bulletin"`
	Sentence string `json:"sentence"`
	Count    int    `json:"count"`
	Link     Link   `json:"link"`
	Act      string `json:"act" doc:"The act in the imperative, for a button"`
}

// Link names a page of the console and its filters.
type Link struct {
	Page   string            `json:"page" enum:"devices,updates,needs,jobs,customers,enrol,settings,catalog,bulletins"`
	Params map[string]string `json:"params,omitempty"`
}

// WorstCustomer is a customer with open needs.
type WorstCustomer struct {
	Customer     Ref `json:"customer"`
	Open         int `json:"open"`
	SecurityOpen int `json:"security_open"`
	Silent       int `json:"silent"`
	Devices      int `json:"devices"`
}

// TrendDay is one day's stored counts.
type TrendDay struct {
	Day      string `json:"day" doc:"YYYY-MM-DD, UTC"`
	Verified int    `json:"verified"`
	Open     int    `json:"open"`
	Unknown  int    `json:"unknown"`
}

// The buckets of AgeCount, in order.
const (
	Under3Days = "<3d"
	Days3To14  = "3-14d"
	Days14To30 = "14-30d"
	Over30Days = ">30d"
)

// AgeCount is how many open security needs are of an age, counted from when the update
// came out or, where nothing says so, was first seen here.
type AgeCount struct {
	Bucket string `json:"bucket" enum:"<3d,3-14d,14-30d,>30d"`
	Count  int    `json:"count"`
}

// AgeBucket is the bucket for an age.
func AgeBucket(age time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case age < 3*day:
		return Under3Days
	case age < 14*day:
		return Days3To14
	case age < 30*day:
		return Days14To30
	}
	return Over30Days
}
