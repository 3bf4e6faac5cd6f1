package winupdate

import "fmt"

// told is what the engine says of an update: the first reading.
type told int

const (
	toldNothing   told = iota // it neither offers it nor has it among what is installed
	toldOffered               // it offers it, hidden or not
	toldInstalled             // it has it among what is installed
)

// mark is what Windows itself shows of an update: the second reading. It never comes from the
// engine.
type mark int

const (
	markNone    mark = iota // there should be one and there is none: nothing is known
	markNever               // updates of this kind leave none, by their nature
	markThere               // this version of it, or a newer one
	markWaiting             // it is put in place at the next restart
	markLeaving             // it is taken off at the next restart
	markAbsent              // an older version, or it says itself that it is not there
)

// second is the second reading with the words it is told in, such as "the build is 22631.3".
type second struct {
	mark
	words string
}

// state is what two readings make of an update.
type state int

const (
	stateAbsent state = iota
	stateThere
	statePending  // in place, and only active after a restart
	stateLeaving  // there until the restart, which takes it off
	stateDisputed // the readings do not agree: neither there nor absent
)

// judge lets two readings and the question whether Windows waits for a restart decide. An
// update is there only where both readings say so. It is pending, or about to leave, only where
// Windows itself says that it waits for a restart, so that nobody takes it for complete. That the engine
// offers an update, or tells nothing of it, and no mark speaks against that, is enough for it
// not to be there: that is never good news.
//
// Where a kind of update leaves no mark (a tool that runs once, a driver without version), the
// engine's own history stands in: logged says that its last word of this very update is an
// installation that succeeded. History alone never makes anything be there.
func judge(t told, s second, restart, logged bool) (state, string) {
	const engine = "Windows Update"
	switch {
	case t == toldInstalled && s.mark == markThere:
		return stateThere, ""
	case t == toldInstalled && s.mark == markNever && logged:
		return stateThere, ""
	case t == toldInstalled && s.mark == markNever:
		return stateDisputed, engine + " says that it is installed, its own history does not, and updates of this kind leave no other mark."
	case s.mark == markWaiting && restart:
		return statePending, ""
	case s.mark == markLeaving && restart:
		return stateLeaving, ""
	case s.mark == markWaiting, s.mark == markLeaving:
		return stateDisputed, fmt.Sprintf("%s, but Windows does not wait for a restart.", s.words)
	case t == toldInstalled && s.mark == markNone:
		return stateDisputed, fmt.Sprintf("%s says that it is installed, and nothing else shows it: %s.", engine, s.words)
	case t == toldInstalled:
		return stateDisputed, fmt.Sprintf("%s says that it is installed, but %s.", engine, s.words)
	case t == toldOffered && s.mark == markThere:
		return stateDisputed, fmt.Sprintf("%s says that it is missing, but %s.", engine, s.words)
	case s.mark == markThere:
		return stateDisputed, fmt.Sprintf("%s does not know it, but %s.", engine, s.words)
	}
	return stateAbsent, ""
}
