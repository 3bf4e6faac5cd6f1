package winupdate

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// maxClient is how much is taken of the name of what asked for an update.
const maxClient = 80

// kbInTitle is the number that a title tells, as a history does not.
var kbInTitle = regexp.MustCompile(`\bKB([0-9]{5,8})\b`)

// History is what the engine says it did, in our words. Nothing counts as installed because of
// it: the scan never looks here, but for what leaves no other mark.
func (w *Windows) History(ctx context.Context) ([]patch.Event, error) {
	var told []provider.EngineEvent
	err := w.with(ctx, func(e provider.Engine) (err error) {
		told, err = e.History(ctx, patch.MaxHistory)
		return explained("reading its history", err)
	})
	if err != nil {
		return nil, err
	}
	events := make([]patch.Event, 0, min(len(told), patch.MaxHistory))
	for _, ev := range told[:min(len(told), patch.MaxHistory)] {
		events = append(events, eventOf(ev, w.env.Now()))
	}
	return events, nil
}

// eventOf is one line of the engine's history. Of what it names nothing is believed but as text.
func eventOf(ev provider.EngineEvent, now time.Time) patch.Event {
	u := provider.EngineUpdate{ID: ev.ID, Title: provider.Calm(ev.Title, maxTitle)}
	e := patch.Event{Title: u.Title, Removal: ev.Removal, Result: resultOf(ev), By: provider.Calm(ev.ByClient, maxClient)}
	if validID.MatchString(ev.ID.Update) {
		e.Instance = ev.ID.Update
	}
	if ev.ID.Revision > 0 {
		e.Version = strconv.Itoa(ev.ID.Revision)
	}
	if m := kbInTitle.FindStringSubmatch(u.Title); m != nil {
		u.KBs = m[1:]
	}
	if e.Name = name(u); e.Instance != "" {
		e.Name = itemName(u)
	}
	if at := ev.At.UTC(); at.Year() >= 1996 && !at.After(now.Add(24*time.Hour)) {
		e.At = &at
	}
	if e.Result != patch.EventSucceeded && ev.HResult != 0 {
		e.Code = fmt.Sprintf("0x%08X", ev.HResult)
		e.Why = meaning(ev.HResult).why
	}
	return e
}

// resultOf is how the engine says it ended; with the number of a failure nothing is a success.
func resultOf(ev provider.EngineEvent) patch.EventResult {
	if ev.Result == provider.EngineSucceeded && ev.HResult&0x8000_0000 != 0 {
		return patch.EventPartly
	}
	known := map[provider.EngineCode]patch.EventResult{
		provider.EngineInProgress: patch.EventInProgress, provider.EngineSucceeded: patch.EventSucceeded, provider.EngineSucceededWithErrors: patch.EventPartly,
		provider.EngineFailed: patch.EventFailed, provider.EngineAborted: patch.EventAborted,
	}
	if r, ok := known[ev.Result]; ok {
		return r
	}
	return patch.EventUnknown
}
