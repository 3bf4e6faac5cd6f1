package view

import "time"

// Content is a file that agents install from.
type Content struct {
	SHA256  string     `json:"sha256" doc:"Lower-case hex; the file is known by it"`
	Name    string     `json:"name"`
	Size    int64      `json:"size" doc:"Bytes"`
	Source  string     `json:"source,omitempty" doc:"The address it was fetched from, without its query; empty when it was uploaded"`
	AddedAt time.Time  `json:"added_at"`
	AddedBy Ref        `json:"added_by"`
	UsedAt  *time.Time `json:"used_at,omitempty" doc:"When an agent last asked for it"`
	State   string     `json:"state" enum:"here,missing" doc:"missing: it is known and its file is not here, as after a restore; add it or fetch it again"`
	Needed  NeededBy   `json:"needed_by"`
	Turn    int        `json:"turn" doc:"When room is needed: 1 goes first; 0 stays"`
	Young   bool       `json:"young" doc:"It was added less than a day ago, and stays although nothing needs it yet"`
	Can     ContentCan `json:"can"`
}

// NeededBy is what needs a file. What is needed is never removed to make room.
type NeededBy struct {
	Sentence  string `json:"sentence,omitempty" doc:"Empty when nothing needs it"`
	Catalog   string `json:"catalog,omitempty" doc:"As what the newest signed catalogue names it"`
	Jobs      int    `json:"jobs" doc:"That are not over and install it"`
	Rollbacks int    `json:"rollbacks" doc:"Devices on which it is what a young update put there, or replaced"`
}

// ContentCan says why something cannot be done with a file; empty where it can.
type ContentCan struct {
	Remove string `json:"remove"`
}

// ContentUsage is how much content there is.
type ContentUsage struct {
	Files   int       `json:"files"`
	Missing int       `json:"missing" doc:"Files that are known and not here"`
	Used    int64     `json:"used" doc:"Bytes of all files"`
	Needed  int64     `json:"needed" doc:"Of these, bytes that are never removed to make room"`
	Coming  int64     `json:"coming" doc:"Bytes of what is being written by the server that was asked"`
	Budget  int64     `json:"budget" doc:"Bytes that all files may have together"`
	AsOf    time.Time `json:"as_of"`
}

// ContentFetch is a file that the server gets by itself.
type ContentFetch struct {
	SHA256   string     `json:"sha256"`
	Name     string     `json:"name"`
	Address  string     `json:"address" doc:"Without its query"`
	State    string     `json:"state" enum:"waiting,running,done,failed"`
	Received int64      `json:"received" doc:"Bytes so far"`
	Size     int64      `json:"size" doc:"Bytes; 0 while nobody knows"`
	Error    string     `json:"error,omitempty" doc:"Why it failed, or is tried again"`
	AskedBy  string     `json:"asked_by"`
	AskedAt  time.Time  `json:"asked_at"`
	EndedAt  *time.Time `json:"ended_at,omitempty"`
}
