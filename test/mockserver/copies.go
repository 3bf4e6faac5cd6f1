package main

import (
	"context"
	"time"

	"patchbay/patch"
	"patchbay/server/rival"
	"patchbay/server/store"
)

// becomes has a copy of the original's disk found out, and become a device of its own.
func (w *world) becomes(ctx context.Context, h *store.Customer, original *device, a store.Agent, d store.Device) error {
	boot, now := "boot of "+d.Name, a.EnrolledAt
	spoken, err := h.Speak(ctx, now, original.agent, boot, patch.NewID("n"), patch.NewID("w"), func(r rival.Record) rival.Decision {
		r.Others = append(r.Others, rival.Other{Boot: boot, First: now, Last: now, Copy: true})
		return rival.Decision{Record: r, Sign: rival.Copied, Answer: rival.Become, Changed: true}
	})
	if err == nil {
		_, _, err = h.Become(ctx, now, original.agent, spoken.Word, a, d)
	}
	return err
}

// setBack has it be known that a device was set back to a snapshot.
func (w *world) setBack(ctx context.Context, d *device, at time.Time) error {
	_, err := w.store.Customer(w.by, d.customer).Speak(ctx, at, d.agent, d.facts.BootID, patch.NewID("n"), "", func(r rival.Record) rival.Decision {
		return rival.Decision{Record: r, Sign: rival.Restored, Changed: true}
	})
	return err
}
