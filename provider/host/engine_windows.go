package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/go-ole/go-ole"

	"patchbay/provider"
)

var _ provider.EngineHost = Host{}

// client is how this program calls itself to the update engine, whose history shows it.
const client = "Patchbay"

// engine is the Windows Update Agent, by way of COM. COM's objects stay on the one thread that made them. That
// thread is of the multithreaded apartment: one of an apartment of its own would have to fetch messages, and it
// does not while it waits an hour for an installation.
type engine struct {
	calls chan func(session object)
	free  chan struct{} // has something in it while nothing is done
	stop  chan struct{} // closed by Close
	gone  chan struct{} // closed when the thread ended
	once  sync.Once
}

// Engine reaches the Windows Update Agent.
func (Host) Engine(ctx context.Context) (provider.Engine, error) {
	e := &engine{calls: make(chan func(object)), free: make(chan struct{}, 1), stop: make(chan struct{}), gone: make(chan struct{})}
	opened := make(chan error, 1)
	go e.run(opened)
	select {
	case err := <-opened:
		if err != nil {
			return nil, fmt.Errorf("reaching the update engine: %w", err)
		}
		return e, nil
	case <-ctx.Done():
		e.Close()
		return nil, ctx.Err()
	}
}

// run is the engine's thread.
func (e *engine) run(opened chan<- error) {
	defer close(e.gone)
	runtime.LockOSThread() // for good: the thread ends with this
	r := reader{what: "opening"}
	if r.fail("COM", ole.CoInitializeEx(0, ole.COINIT_MULTITHREADED)); r.err != nil {
		opened <- r.err
		return
	}
	defer ole.CoUninitialize()
	defer r.release()
	session := r.create("Microsoft.Update.Session")
	r.put(session, "ClientApplicationID", client)
	r.call(session, "CreateUpdateSearcher")
	if r.err != nil {
		opened <- absent(r.err)
		return
	}
	e.free <- struct{}{}
	opened <- nil
	for {
		select {
		case <-e.stop:
			return
		case call := <-e.calls:
			call(session)
		}
	}
}

// absent makes of an error at opening that there is no engine, where it says so: its class is unknown, or one
// that does nothing.
func absent(err error) error {
	var e *provider.EngineError
	if errors.As(err, &e) {
		switch e.HResult {
		case errClassNotThere, errNoSuchClassName, errNotImplemented, errUnknownName:
			return fmt.Errorf("%w: %w", provider.ErrAbsent, err)
		}
	}
	return err
}

// Close ends the thread, which may take until what it does is done: Close does not wait for that.
func (e *engine) Close() {
	e.once.Do(func() { close(e.stop) })
	select {
	case <-e.free:
		select {
		case <-e.gone:
		case <-time.After(5 * time.Second):
		}
	default:
	}
}

// on has something done on the engine's thread. When the context ends it is not waited for any more; the
// engine goes on with it, and is busy until then.
func on[T any](ctx context.Context, e *engine, do func(session object) (T, error)) (T, error) {
	type answer struct {
		got T
		err error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case <-e.stop:
		return none, errors.New("the update engine was closed")
	default:
	}
	select {
	case <-e.free:
	default:
		return none, fmt.Errorf("%w: the update engine does what it was asked before", provider.ErrBusy)
	}
	done := make(chan answer, 1)
	call := func(session object) {
		got, err := do(session)
		e.free <- struct{}{}
		done <- answer{got, err}
	}
	select {
	case e.calls <- call:
	case <-e.gone:
		return none, errors.New("the update engine was closed")
	}
	select {
	case a := <-done:
		return a.got, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// State asks several of the engine's objects. What only newer engines know stays empty with others.
func (e *engine) State(ctx context.Context) (provider.EngineState, error) {
	return on(ctx, e, func(session object) (provider.EngineState, error) {
		r := reader{what: "asking how it is"}
		defer r.release()
		var s provider.EngineState
		s.RebootRequired = r.flag(r.create("Microsoft.Update.SystemInfo"), "RebootRequired")
		installer := r.call(session, "CreateUpdateInstaller")
		s.Busy = r.flag(installer, "IsBusy")
		s.RebootFirst = r.flag(installer, "RebootRequiredBeforeInstallation")
		r.optional(func() {
			results := r.object(r.create("Microsoft.Update.AutoUpdate"), "Results")
			s.Searched, s.Installed = engineDate(r.date(results, "LastSearchSuccessDate")), engineDate(r.date(results, "LastInstallationSuccessDate"))
		})
		s.Managed = r.managed()
		r.optional(func() {
			v := r.ask(method, r.create("Microsoft.Update.AgentInfo"), "GetInfo", []any{"ProductVersionString"})
			defer v.Clear()
			s.Client = provider.Clip(v.ToString(), maxEngineText)
		})
		return s, r.err
	})
}

// managed reports whether the service that is asked by default is one of the organisation. An engine that
// does not say which is the default one has at most one registered that is managed.
func (r *reader) managed() bool {
	services := r.object(r.create("Microsoft.Update.ServiceManager"), "Services")
	n := r.count(services, maxEngineList)
	for i := range n {
		s := r.object(services, "Item", i)
		byDefault := r.flag(s, "IsRegisteredWithAU")
		r.optional(func() {
			if is := r.flag(s, "IsDefaultAUService"); r.err == nil {
				byDefault = is
			}
		})
		if r.flag(s, "IsManaged") && byDefault {
			return true
		}
	}
	return false
}
