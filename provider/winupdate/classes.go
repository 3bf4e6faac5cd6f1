package winupdate

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// classes are the classifications of updates by their own IDs: names are translated.
var classes = map[string]patch.Class{
	"e6cf1350-c01b-414d-a61f-263d14d133b4": patch.Critical, // a class of its own, never a severity
	"e0789628-ce08-4437-be74-2495b842f43b": patch.Definition,
	"ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0": patch.Driver,
	"b54e7d24-7add-428f-8b75-90a396fa584f": patch.Feature, // feature packs
	"0fa1201d-4330-4fa8-8ae9-b877473b6441": patch.Security,
	"68c5b0a3-d1a6-4553-ae49-01d3a7827828": patch.ServicePack,
	"b4832bd8-e735-4761-8daf-37f882276dab": patch.Tool,
	"28bc880e-0592-4cbf-8f95-c79b17911d5f": patch.Rollup,
	"cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83": patch.BugFix,  // updates
	"3689bdc8-b205-4af4-8d4a-a63924c5e9d5": patch.Feature, // upgrades
}

// classify gives what an update is for, sorted. An update whose classification is not known is
// of the class other, and so is one that has none.
func classify(u provider.EngineUpdate) []patch.Class {
	set := map[patch.Class]bool{}
	for _, c := range u.Categories {
		if class, ok := classOf(c); ok {
			set[class] = true
		}
	}
	if u.Driver != nil {
		set[patch.Driver] = true
	}
	if len(set) == 0 {
		set[patch.Other] = true
	}
	if preview(u, set[patch.Security]) {
		set[patch.Preview] = true
	}
	var list []patch.Class
	for c := range set {
		list = append(list, c)
	}
	slices.Sort(list)
	return list
}

// classOf is the class that a category stands for, however its ID is written.
func classOf(c provider.EngineCategory) (patch.Class, bool) {
	class, ok := classes[strings.ToLower(strings.Trim(c.ID, "{} "))]
	return class, ok
}

var (
	previewWord = regexp.MustCompile(`(?i)\bpreview\b`)
	cumulative  = regexp.MustCompile(`(?i)\bcumulative\b`)
)

// preview reports whether an update is one ahead of time. In titles of other languages the
// word is another; there an optional update that names a build and mends no security is one.
func preview(u provider.EngineUpdate, security bool) bool {
	_, build := namedBuild(u.Title)
	return u.Beta || previewWord.MatchString(u.Title) || u.Optional && !security && (build || cumulative.MatchString(u.Title))
}

// severity maps what Microsoft's security centre says. What it does not say is not known.
func severity(s string) patch.Severity {
	known := map[string]patch.Severity{"critical": patch.SeverityCritical, "important": patch.SeverityHigh, "moderate": patch.SeverityMedium, "low": patch.SeverityLow}
	return cmp.Or(known[strings.ToLower(strings.TrimSpace(s))], patch.SeverityUnknown)
}

// block says why an update is not made by itself, and why that is.
func block(u provider.EngineUpdate, list []patch.Class) (patch.Block, string) {
	switch {
	case u.Hidden:
		return patch.Held, "Somebody hid it on this device."
	case u.Asks:
		return patch.KeptBack, "It may ask a person something while it installs, and nobody is there to answer."
	case slices.Contains(list, patch.Preview):
		return patch.Optional, "It is a preview, so a person has to choose it."
	case u.Optional:
		return patch.Optional, "Microsoft offers it as optional, so a person has to choose it."
	case !u.Agreed:
		return patch.Optional, "It has a licence that nobody agreed to on this device. Whoever approves it agrees to it, and it is agreed to when it is installed."
	}
	return patch.NotBlocked, ""
}
