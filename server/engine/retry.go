package engine

import (
	"context"
	"errors"

	"patchbay/patch"
	"patchbay/server/policy"
	"patchbay/server/store"
	"patchbay/server/view"
)

// ErrNothingToRetry means that the item has no failed job.
var ErrNothingToRetry = errors.New("this update has not failed, so there is nothing to try again")

// Retry tries a failed update again because a person asked for it. The person's wish is a
// new approval of the same version on this device, so it is recorded like any other and
// counts its attempts anew.
func (e *Engine) Retry(ctx context.Context, by view.Ref, device string, item patch.Key) (string, error) {
	entry, ok := e.Index.Entry(device)
	if !ok {
		return "", store.ErrNotFound
	}
	for i := range entry.Needs {
		n := &entry.Needs[i]
		if n.Key != item {
			continue
		}
		if n.Work.Tried.Last == nil || !n.Work.Tried.Last.Failed || n.Work.Tried.Open != nil {
			return "", &store.Refusal{Kind: ErrNothingToRetry, Sentence: "This update has not failed, so there is nothing to try again."}
		}
		approval := store.Approval{ID: patch.NewID(patch.ApprovalID), Customer: entry.Device.Customer,
			Level: store.LevelDevice, Target: device, Provider: item.Provider, Name: item.Name,
			Architecture: item.Architecture, Version: n.Update.Available, Origin: n.Update.Origin,
			Answer: store.Approve, Reason: "tried again after it failed", AllowRemovals: n.Decision.AllowRemovals,
			By: by.ID, ByName: by.Name, At: e.Now()}
		if n.Decision.Kind == policy.Undo {
			approval.Answer, approval.Reason = store.Undo, n.Decision.Reason
		}
		if last := n.Work.Tried.Last; last.Forced != "" {
			until := e.Now().Add(forcedLife)
			approval.ForcedUntil = &until
		}
		if err := e.Store.Customer(actor(by), entry.Device.Customer).CreateApprovals(ctx, e.Now(), []store.Approval{approval}); err != nil {
			return "", err
		}
		if err := e.Step(ctx, device); err != nil {
			return "", err
		}
		return e.openJob(device, item), nil
	}
	return "", store.ErrNotFound
}

// openJob is the ID of the job at work on an item, "" when there is none.
func (e *Engine) openJob(device string, item patch.Key) string {
	entry, ok := e.Index.Entry(device)
	if !ok {
		return ""
	}
	for i := range entry.Needs {
		if n := &entry.Needs[i]; n.Key == item && n.Work.Tried.Open != nil {
			return n.Work.Tried.Open.ID
		}
	}
	return ""
}
