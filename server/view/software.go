package view

// Unattended is an item that nobody updates.
type Unattended struct {
	ID        string `json:"id"`
	Provider  string `json:"provider"`
	Name      string `json:"name"`
	Why       string `json:"why" doc:"Why nobody does: a sentence"`
	Devices   int    `json:"devices"`
	Customers int    `json:"customers"`
}

// UnattendedSummary counts what nobody updates.
type UnattendedSummary struct {
	Devices int `json:"devices" doc:"Enrolled: the denominator"`
	With    int `json:"with" doc:"Of these, those with an item that nobody updates"`
	Unread  int `json:"unread" doc:"Of these, those whose software is not known"`
	Items   int `json:"items" doc:"Installed on all of them"`
	Nobody  int `json:"nobody" doc:"Of these, those that nobody updates"`
}

// SoftwareDevice is a device that is listed for what it has.
type SoftwareDevice struct {
	Device   Ref      `json:"device"`
	Customer Ref      `json:"customer"`
	Site     Ref      `json:"site"`
	Silent   bool     `json:"silent,omitempty"`
	Programs []string `json:"programs,omitempty" doc:"For one purpose"`
}

// Several is a purpose for which there is more than one program somewhere.
type Several struct {
	Purpose   string         `json:"purpose"`
	Programs  []ProgramCount `json:"programs" doc:"The one that most devices have first"`
	Devices   int            `json:"devices" doc:"That have any of them: the denominator"`
	Several   int            `json:"several" doc:"Of these, those that have more than one"`
	Customers int            `json:"customers" doc:"Whose devices have any of them"`
	Mixed     int            `json:"mixed" doc:"Of these, those whose devices have more than one between them"`
}

// ProgramCount is a program and how many devices have it.
type ProgramCount struct {
	Name    string `json:"name"`
	Devices int    `json:"devices"`
}
