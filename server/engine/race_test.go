package engine

import (
	"context"
	"crypto"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// hooked signs, and first calls what a test wants to happen meanwhile.
type hooked struct {
	crypto.Signer
	before func()
}

func (h *hooked) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if f := h.before; f != nil {
		h.before = nil
		f()
	}
	return h.Signer.Sign(random, digest, opts)
}

// Orders that were being made while a person answered are old the moment they are signed.
func TestOrdersOvertakenByAStepAreNotKept(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.says("1.0", []patch.Update{lib}, nil)
	r.Key = &hooked{r.Key, func() { r.approve(store.Approve, "") }}
	r.ordered()
	if jobs := r.ordered(); len(jobs) != 1 {
		t.Errorf("the answer never reaches the agent: ordered %v", jobs)
	}
}

// Steps come one after the other, or the one that read first would write last and order
// what was rejected meanwhile.
func TestAnAnswerGivenDuringAStepHolds(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.says("1.0", []patch.Update{lib}, nil)
	site, err := r.Store.Customer(who, r.customer).Site(t.Context(), r.site)
	r.must(err)
	site.Policy.Auto = store.Security
	r.must(r.Store.Customer(who, r.customer).UpdateSite(t.Context(), r.now, site))
	var calls atomic.Int32
	read, rejected := make(chan struct{}), make(chan struct{})
	now := r.now
	r.Now = func() time.Time {
		if calls.Add(1) == 2 { // the facts are read, nothing is decided yet
			close(read)
			select {
			case <-rejected:
			case <-time.After(100 * time.Millisecond): // it waits its turn
			}
		}
		return now
	}
	done := make(chan error)
	go func() { done <- r.Step(t.Context(), r.device) }()
	<-read
	go func() {
		r.approve(store.Reject, "breaks the till")
		close(rejected)
	}()
	r.must(<-done)
	<-rejected
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("ordered although it was rejected: %v", jobs)
	}
}

// Jobs that were stored though the step was told otherwise reach their agent as soon as it is
// decided anew, and not only when it asks by itself.
func TestJobsStoredUnheardAreCalledFor(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.says("1.0", []patch.Update{lib}, nil)
	site, err := r.Store.Customer(who, r.customer).Site(t.Context(), r.site)
	r.must(err)
	site.Policy.Auto = store.Security
	r.must(r.Store.Customer(who, r.customer).UpdateSite(t.Context(), r.now, site))
	lost := errors.New("the connection was lost")
	r.Store.Around = func(_ string, do func() error) error { return errors.Join(do(), lost) }
	if err := r.Step(t.Context(), r.device); !errors.Is(err, lost) {
		t.Fatalf("the step went well: %v", err)
	}
	r.Store.Around = nil
	called := r.Waiting(r.agent)
	r.must(r.Step(t.Context(), r.device))
	select {
	case <-called:
	default:
		t.Error("the agent was not called")
	}
}

func TestRetryOfWhatDidNotFailIsARefusal(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	_, err := r.Retry(t.Context(), view.Ref{ID: "per_test", Name: "Ann"}, r.device, lib.Key())
	var refusal *store.Refusal
	if !errors.As(err, &refusal) || !errors.Is(err, ErrNothingToRetry) {
		t.Errorf("%v is no refusal", err)
	}
}

// One device whose facts break a decision must not take the server down with it.
func TestADeviceThatBreaksAStepStopsNoOther(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.Gone = func(string) { panic("odd") }
	r.mu.Lock()
	r.queue, r.queued = nil, map[string]bool{}
	r.mu.Unlock()
	r.know(r.customer, "dev_odd", "agt_odd")
	ctx, cancel := context.WithCancel(t.Context())
	events := r.Bus.Subscribe(ctx)
	r.Due("dev_odd", r.device)
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	if e := <-events; e.Device != r.device {
		t.Errorf("stepped %v", e)
	}
	cancel()
	<-done
	r.expect(verdict.UNKNOWN)
}

// An alarm that was set anew is not kept twice, however often that happens.
func TestAlarmsDoNotPileUp(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.next(r.now)
	for range 100 {
		r.at(r.device, r.now.Add(24*time.Hour))
		r.at(r.device, r.now.Add(time.Minute))
		r.now = r.now.Add(time.Minute)
		if d, _ := r.next(r.now); !slices.Equal(d, []string{r.device}) {
			t.Fatalf("due is %q", d)
		}
	}
	r.now = r.now.Add(48 * time.Hour)
	due := 0
	for {
		d, _ := r.next(r.now)
		if d == nil {
			break
		}
		due++
	}
	if due > 0 {
		t.Errorf("%d alarms of old rang", due)
	}
}

// Counts are not taken while the last device is still being read.
func TestAStepUnderWayIsNotIdle(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.next(r.now)
	if r.Idle() {
		t.Error("idle while a device is stepped")
	}
	if r.next(r.now); !r.Idle() {
		t.Error("not idle with nothing to do")
	}
	r.at(r.device, r.now.Add(time.Hour))
	if !r.Idle() {
		t.Error("not idle an hour before anything is due")
	}
	if r.now = r.now.Add(time.Hour); r.Idle() {
		t.Error("idle while a device is due by the clock")
	}
}

// That a device is not talking is taken back as soon as it talks, though it says nothing new.
func TestADeviceThatTalksAgainIsDecidedAnew(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.says("1.0", []patch.Update{lib}, nil)
	r.next(r.now)
	r.Heard(r.device, r.now.Add(time.Minute))
	if d, _ := r.next(r.now); d != nil {
		t.Error("every word of a device costs a step")
	}
	r.Heard(r.device, r.now.Add(time.Minute+verdict.Quiet+time.Second))
	if d, _ := r.next(r.now); !slices.Equal(d, []string{r.device}) {
		t.Error("it talks again and is still said not to")
	}
}
