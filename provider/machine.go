package provider

import (
	"context"
	"time"

	"patchbay/patch"
)

// MachineHost is a Host that tells of its machine what stands in no file and no registry.
type MachineHost interface {
	Host
	Machine() Machine
}

// Machine is what a system says of itself. What it does not say is empty.
type Machine struct {
	Boot      string    // names the present boot: another after each start of the system
	BootedAt  time.Time // when it began
	People    bool      // somebody is logged in
	Cards     []string  // the addresses of network cards, sorted
	Account   string    // whose rights this program has, as the system numbers it: a SID on Windows
	Processes []Process
}

// PresenceHost is a Host that tells whether somebody is at its machine.
type PresenceHost interface {
	Host
	Presence(context.Context) Presence
}

// Presence says whether somebody is at a machine, each fact yes, no or not known.
type Presence struct {
	LoggedIn   patch.Answer
	Locked     patch.Answer // nobody of them sees their screen
	Presenting patch.Answer // somebody shows something to others, or a program fills the screen
	Battery    patch.Answer // the machine runs on its battery
}

// Process is one program that runs.
type Process struct {
	ID      uint32
	Session uint32    // on whose desktop it runs; 0 is nobody's: services
	Program string    // its file, as the system writes it; "" when that is hidden
	Began   time.Time // zero when that is hidden
}

// Session is where one person is logged in.
type Session struct {
	ID     uint32
	User   string // "" when the system does not say
	Locked patch.Answer
	// Presenting says whether a program fills the screen, or somebody shows something to others.
	Presenting patch.Answer
}

// Question is what those of a session are asked.
type Question struct {
	Text    string
	Choices []string // the words of its buttons, at least one
}

// Desk is a host on which people are logged in and have programs open.
type Desk interface {
	// Sessions lists where people are logged in, whoever sees their screen first.
	Sessions(ctx context.Context) ([]Session, error)
	// Tell shows those of a session a text, and waits for nobody.
	Tell(ctx context.Context, session uint32, text string) error
	// Choose shows those of a session a question and gives the choice they made, or -1 when they
	// made none in that time.
	Choose(ctx context.Context, session uint32, q Question, wait time.Duration) (choice int, err error)
	// Ask shows those of a session a question and waits for their answer, or until they leave
	// it unanswered, which is no.
	Ask(ctx context.Context, session uint32, question string, wait time.Duration) (yes bool, err error)
	// Close asks the windows of a program to close, and is an error when it still runs a while
	// later. What is not saved, the program asks for.
	Close(ctx context.Context, p Process) error
	Ender
}

// Ender is a host on which programs can be ended.
type Ender interface {
	// End ends a program that still is the one that was seen. What is not saved is lost.
	End(ctx context.Context, p Process) error
}
