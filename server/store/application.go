package store

import "time"

// ApplicationRule says what becomes of one program.
type ApplicationRule struct {
	Provider string          `json:"provider"`
	Package  string          `json:"package"` // the item's name, or that of its source package
	Wish     ApplicationWish `json:"wish"`
	Pin      string          `json:"pin,omitempty"` // a version, or a line of versions such as 8.6., beyond which it does not go
	Reason   string          `json:"reason,omitempty"`
	By       string          `json:"by"` // who wrote it, as people called them then
	At       time.Time       `json:"at"`
}

// ApplicationWish is what a rule wants of a program.
type ApplicationWish string

// The wishes of rules.
const (
	LeaveAlone ApplicationWish = "leave"
	UpdateOnly ApplicationWish = "update"  // where it is installed
	InstallToo ApplicationWish = "install" // and installed where it is not
)
