package host

import (
	"context"
	"fmt"
	"slices"

	"patchbay/provider"
)

// Download fetches updates.
func (e *engine) Download(ctx context.Context, updates []provider.EngineID) ([]provider.EngineResult, error) {
	return e.work(ctx, work{what: "downloading", worker: "CreateUpdateDownloader", verb: "Download", updates: updates,
		done: func(r *reader, u object) bool { return r.flag(u, "IsDownloaded") }})
}

// Install installs updates that were downloaded.
func (e *engine) Install(ctx context.Context, updates []provider.EngineID, agree bool) ([]provider.EngineResult, error) {
	return e.work(ctx, work{what: "installing", worker: "CreateUpdateInstaller", verb: "Install", updates: updates, changes: true, licence: true, agree: agree,
		done: func(r *reader, u object) bool { return r.flag(u, "IsInstalled") }})
}

// Uninstall removes updates.
func (e *engine) Uninstall(ctx context.Context, updates []provider.EngineID) ([]provider.EngineResult, error) {
	return e.work(ctx, work{what: "removing", worker: "CreateUpdateInstaller", verb: "Uninstall", updates: updates, changes: true,
		done: func(r *reader, u object) bool { return !r.flag(u, "IsInstalled") }})
}

// work is what to do with which updates.
type work struct {
	what, worker, verb string
	updates            []provider.EngineID
	changes            bool // it changes the system, which only one may at a time
	licence, agree     bool // a licence must have been agreed to; it is where it was not
	done               func(*reader, object) bool
}

func (e *engine) work(ctx context.Context, w work) ([]provider.EngineResult, error) {
	return on(ctx, e, func(session object) ([]provider.EngineResult, error) {
		r := reader{what: w.what}
		defer r.release()
		ended := r.work(session, w)
		if r.err != nil {
			return nil, r.err
		}
		var all []provider.EngineResult
		for _, id := range w.updates {
			all = append(all, ended[id])
		}
		return all, nil
	})
}

// work gives how it ended for each.
func (r *reader) work(session object, w work) map[provider.EngineID]provider.EngineResult {
	ended := map[provider.EngineID]provider.EngineResult{}
	there := r.find(session, w.updates)
	chosen := r.create("Microsoft.Update.UpdateColl")
	var order []provider.EngineID
	for _, id := range w.updates {
		u, ok := there[id]
		if _, twice := ended[id]; twice || r.err != nil {
			continue
		}
		result := provider.EngineResult{ID: id, NotFound: !ok}
		if ok && r.ready(u, w, &result) {
			_ = r.ask(method, chosen, "Add", []any{u}).Clear()
			order = append(order, id)
		}
		ended[id] = result
	}
	if len(order) == 0 || r.err != nil {
		return ended
	}
	worker := r.call(session, w.worker)
	r.put(worker, "ClientApplicationID", client)
	if w.changes {
		if r.flag(worker, "IsBusy") {
			r.err = fmt.Errorf("%s: %w", w.what, provider.ErrBusy)
		}
		r.put(worker, "AllowSourcePrompts", false)
		r.optional(func() { r.put(worker, "ForceQuiet", true) })
	}
	r.put(worker, "Updates", chosen)
	result := r.call(worker, w.verb)
	for i, id := range order {
		one := r.call(result, "GetUpdateResult", i)
		ended[id] = provider.EngineResult{
			ID: id, Result: provider.EngineCode(r.number(one, "ResultCode")), HResult: uint32(r.number(one, "HResult")), Reboot: w.changes && r.flag(one, "RebootRequired"),
		}
	}
	return ended
}

// ready reports whether there is something to do with an update, or else says how it ended: it was done
// before, or nobody agreed to its licence.
func (r *reader) ready(u object, w work, result *provider.EngineResult) bool {
	if w.done(r, u) {
		result.Result = provider.EngineSucceeded
		if w.changes {
			r.optional(func() { result.Reboot = r.flag(u, "RebootRequired") })
		}
		return false
	}
	if !w.licence || r.flag(u, "EulaAccepted") {
		return true
	}
	if !w.agree {
		result.Result, result.HResult = provider.EngineFailed, errLicence
		return false
	}
	r.do(u, "AcceptEula")
	return true
}

// find gives those updates of which the engine has exactly the revision that is asked for.
func (r *reader) find(session object, ids []provider.EngineID) map[provider.EngineID]object {
	there := map[provider.EngineID]object{}
	for some := range slices.Chunk(ids, 20) { // a criterion is not to become endless
		criteria, err := exactly(some)
		if err != nil && r.err == nil {
			r.err = fmt.Errorf("%s: %w", r.what, err)
		}
		if r.err != nil {
			return nil
		}
		found := r.search(session, criteria, false)
		n := r.count(found, maxUpdates)
		for i := 0; i < n && r.err == nil; i++ {
			u := r.object(found, "Item", i)
			if id := r.identity(r.object(u, "Identity")); slices.Contains(some, id) {
				there[id] = u
			}
		}
	}
	return there
}
