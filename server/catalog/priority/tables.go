package priority

import (
	"slices"

	"patchbay/patch"
	"patchbay/server/catalog/ssvc"
)

// Step is where in the queue something stands, by the words of SSVC's tree for those who
// install patches. They are ordered.
type Step int

// The steps, the last one first in the queue.
const (
	Defer Step = iota
	Scheduled
	OutOfCycle
	Immediate
)

// String is the word for a step.
func (s Step) String() string {
	return [...]string{"defer", "scheduled", "out-of-cycle", "immediate"}[min(max(s, Defer), Immediate)]
}

// Exposure is who can reach a device. The zero value is not known, and counts as open.
type Exposure string

// The values of exposure.
const (
	Small      Exposure = "small"      // hardly anybody
	Controlled Exposure = "controlled" // those who are let in
	Open       Exposure = "open"       // anybody on the internet
)

// Impact is how much depends on a device. The zero value is Medium: who says nothing of a
// device says that it is one as others are.
type Impact string

// The values of impact, which SSVC calls human impact.
const (
	Low      Impact = "low"
	Medium   Impact = "medium"
	High     Impact = "high"
	VeryHigh Impact = "very high"
)

// deployer is SSVC's tree for those who install patches (SEI, deployer patch application
// priority 1.0.0): a row for each exploitation, exposure and automatable, a letter for each
// impact from low to very high.
var deployer = map[ssvc.Exploitation]map[Exposure]map[patch.Answer]string{
	ssvc.NoExploit: {
		Small:      {patch.No: "ddss", patch.Yes: "dsss"},
		Controlled: {patch.No: "dsss", patch.Yes: "ssss"},
		Open:       {patch.No: "dsss", patch.Yes: "ssso"},
	},
	ssvc.PoC: {
		Small:      {patch.No: "dsss", patch.Yes: "ssss"},
		Controlled: {patch.No: "dsss", patch.Yes: "ssso"},
		Open:       {patch.No: "ssso", patch.Yes: "ssoo"},
	},
	ssvc.Active: {
		Small:      {patch.No: "ssoo", patch.Yes: "sooo"},
		Controlled: {patch.No: "ssoo", patch.Yes: "oooo"},
		Open:       {patch.No: "sooi", patch.Yes: "ooii"},
	},
}

// Deploy gives SSVC's answer for those who install patches. What is not known counts as the
// worse, except how far it is exploited: of what nobody says anything, none is known. A value
// that is none has no answer.
func Deploy(p ssvc.Points, exposure Exposure, impact Impact) (Step, bool) {
	if exposure == "" {
		exposure = Open
	}
	if impact == "" {
		impact = Medium
	}
	automatable := p.Automatable
	if automatable == patch.Unknown {
		automatable = patch.Yes
	}
	exploitation := p.Exploitation
	if exploitation == "" {
		exploitation = ssvc.NoExploit
	}
	column := slices.Index([]Impact{Low, Medium, High, VeryHigh}, impact)
	row := deployer[exploitation][exposure][automatable]
	if column < 0 || row == "" {
		return Defer, false
	}
	return map[byte]Step{'d': Defer, 's': Scheduled, 'o': OutOfCycle, 'i': Immediate}[row[column]], true
}

// Level is what CISA's own tree says. They are ordered.
type Level string

// The levels, the least first.
const (
	Track     Level = "Track"
	TrackStar Level = "Track*"
	Attend    Level = "Attend"
	Act       Level = "Act"
)

// coordinator is CISA's tree, version 2.0.3: a row for each exploitation, automatable and
// technical impact, a level for each mission and well-being from low to high.
var coordinator = map[ssvc.Exploitation]map[patch.Answer]map[ssvc.Impact][3]Level{
	ssvc.NoExploit: {
		patch.No:  {ssvc.Partial: {Track, Track, Track}, ssvc.Total: {Track, Track, TrackStar}},
		patch.Yes: {ssvc.Partial: {Track, Track, Attend}, ssvc.Total: {Track, Track, Attend}},
	},
	ssvc.PoC: {
		patch.No:  {ssvc.Partial: {Track, Track, TrackStar}, ssvc.Total: {Track, TrackStar, Attend}},
		patch.Yes: {ssvc.Partial: {Track, Track, Attend}, ssvc.Total: {Track, TrackStar, Attend}},
	},
	ssvc.Active: {
		patch.No:  {ssvc.Partial: {Track, Track, Attend}, ssvc.Total: {Track, Attend, Act}},
		patch.Yes: {ssvc.Partial: {Attend, Attend, Act}, ssvc.Total: {Attend, Act, Act}},
	},
}

// Coordinate gives CISA's level. Without all three points there is none.
func Coordinate(p ssvc.Points, mission Mission) (Level, bool) {
	row, ok := coordinator[p.Exploitation][p.Automatable][p.Impact]
	column := slices.Index([]Mission{MissionLow, MissionMedium, MissionHigh}, mission)
	if !ok || column < 0 {
		return "", false
	}
	return row[column], true
}

// Mission is CISA's mission and well-being: what depends on the program that is unsafe.
type Mission string

// The values of mission and well-being.
const (
	MissionLow    Mission = "low"
	MissionMedium Mission = "medium"
	MissionHigh   Mission = "high"
)

// Prevalence is what a program does for the mission.
type Prevalence string

// The values of prevalence.
const (
	Minimal   Prevalence = "minimal"
	Support   Prevalence = "support"
	Essential Prevalence = "essential"
)

// Harm is what people suffer from when it fails: CISA's public well-being impact.
type Harm string

// The values of harm.
const (
	HarmMinimal      Harm = "minimal"
	HarmMaterial     Harm = "material"
	HarmIrreversible Harm = "irreversible"
)

// MissionOf puts both together. CISA's text leaves out a minimal prevalence with a material
// harm; Patchbay takes it as medium.
func MissionOf(p Prevalence, h Harm) (Mission, bool) {
	if !slices.Contains([]Prevalence{Minimal, Support, Essential}, p) || !slices.Contains([]Harm{HarmMinimal, HarmMaterial, HarmIrreversible}, h) {
		return "", false
	}
	switch {
	case p == Essential || h == HarmIrreversible:
		return MissionHigh, true
	case p == Support || h == HarmMaterial:
		return MissionMedium, true
	}
	return MissionLow, true
}
