package engine

import (
	"context"
	"errors"
	"slices"

	"patchbay/server/assess"
)

// DueFirst makes devices due now, and has none of their agents ordered anything before its
// devices are decided anew: something is known that takes back what they were ordered.
func (e *Engine) DueFirst(devices ...string) {
	e.mu.Lock()
	for _, d := range devices {
		agent := e.agents[d]
		if agent != "" && !slices.Contains(e.first[agent], d) {
			e.first[agent] = append(e.first[agent], d)
		}
		delete(e.orders, agent)
	}
	e.mu.Unlock()
	e.Due(devices...)
}

// decideFirst decides anew for an agent's devices where that is to come before its orders.
func (e *Engine) decideFirst(ctx context.Context, agent string) error {
	for range stepTries {
		e.mu.Lock()
		devices := slices.Clone(e.first[agent])
		e.mu.Unlock()
		if len(devices) == 0 {
			return nil
		}
		for _, d := range devices {
			if err := e.Step(ctx, d); err != nil {
				return err
			}
			e.mu.Lock()
			gone := e.homes[d] == ""
			e.mu.Unlock()
			if gone {
				e.decided(agent, d)
			}
		}
	}
	return errors.New("what is held changes all the time")
}

// held are the recalls that are known now.
func (e *Engine) held() *assess.Recalls {
	if e.Recalls == nil {
		return nil
	}
	return e.Recalls()
}

// decided notes that a device was decided anew.
func (e *Engine) decided(agent, device string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(e.first[agent]), func(d string) bool { return d == device })
	if e.first[agent] = left; len(left) == 0 {
		delete(e.first, agent)
	}
}
