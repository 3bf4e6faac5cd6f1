package host

import (
	"context"
	"fmt"

	"patchbay/provider"
)

// Search asks for updates.
func (e *engine) Search(ctx context.Context, q provider.EngineSearch, online bool) ([]provider.EngineUpdate, error) {
	return on(ctx, e, func(session object) ([]provider.EngineUpdate, error) {
		r := reader{what: "searching"}
		defer r.release()
		found := r.search(session, string(q), online)
		n := r.count(found, maxUpdates)
		var all []provider.EngineUpdate
		for i := 0; i < n && r.err == nil; i++ {
			one := reader{what: r.what}
			all = append(all, one.update(one.object(found, "Item", i)))
			one.release()
			r.err = one.err
		}
		if r.err != nil {
			return nil, r.err
		}
		return all, nil
	})
}

// search gives the collection of what was found. A search that left something out has failed: what is not in
// it might be there.
func (r *reader) search(session object, criteria string, online bool) object {
	searcher := r.call(session, "CreateUpdateSearcher")
	r.put(searcher, "ClientApplicationID", client)
	r.put(searcher, "Online", online)
	result := r.call(searcher, "Search", criteria)
	if code := provider.EngineCode(r.number(result, "ResultCode")); r.err == nil && code != provider.EngineSucceeded {
		e := &provider.EngineError{What: fmt.Sprintf("%s (it ended with %d)", r.what, code), HResult: errUnexpected}
		r.optional(func() {
			if first := r.number(r.object(r.object(result, "Warnings"), "Item", 0), "HResult"); first != 0 {
				e.HResult = uint32(first)
			}
		})
		r.err = e
	}
	return r.object(result, "Updates")
}

// identity reads which update it is, as far as what is told is one.
func (r *reader) identity(o object) provider.EngineID {
	return provider.EngineID{Update: guid(r.text(o, "UpdateID")), Revision: r.number(o, "RevisionNumber")}
}

func (r *reader) update(o object) provider.EngineUpdate {
	u := provider.EngineUpdate{
		ID: r.identity(r.object(o, "Identity")), Title: r.text(o, "Title"), Description: r.text(o, "Description"), Severity: r.text(o, "MsrcSeverity"),
		KBs: r.texts(o, "KBArticleIDs"), Bulletins: r.texts(o, "SecurityBulletinIDs"), Categories: r.categories(o), Size: r.size(o, "MaxDownloadSize"),
		Changed: engineDate(r.date(o, "LastDeploymentChangeTime")), Deadline: engineDate(r.date(o, "Deadline")),
		Downloaded: r.flag(o, "IsDownloaded"), Installed: r.flag(o, "IsInstalled"), Hidden: r.flag(o, "IsHidden"), Mandatory: r.flag(o, "IsMandatory"),
		Beta: r.flag(o, "IsBeta"), Chosen: r.flag(o, "AutoSelectOnWebSites"), Removable: r.flag(o, "IsUninstallable"), Agreed: r.flag(o, "EulaAccepted"),
	}
	for _, id := range r.texts(o, "SupersededUpdateIDs") {
		if id = guid(id); id != "" {
			u.Supersedes = append(u.Supersedes, id)
		}
	}
	r.optional(func() { u.CVEs = r.texts(o, "CveIDs") })
	r.optional(func() { u.Optional = r.flag(o, "BrowseOnly") })
	r.optional(func() {
		const never, always = 2, 3 // other answers leave it to the engine
		if s := r.number(o, "AutoSelection"); s == never || s == always {
			u.Chosen = s == always
		}
	})
	r.optional(func() {
		b := r.object(o, "InstallationBehavior")
		u.Asks, u.Reboot = r.flag(b, "CanRequestUserInput"), provider.EngineReboot(r.number(b, "RebootBehavior"))
	})
	const driver = 2
	if r.number(o, "Type") == driver {
		u.Driver = &provider.EngineDriver{}
		r.optional(func() { *u.Driver = r.driver(o) })
	}
	switch {
	case r.err != nil:
	case u.ID.Update == "" || u.ID.Revision < 0:
		r.err = fmt.Errorf("%s: the engine names an update without an ID: %q", r.what, provider.Calm(u.Title, 100))
	case u.Reboot < provider.RebootNever || u.Reboot > provider.RebootMaybe:
		u.Reboot = provider.RebootMaybe
	}
	return u
}

func (r *reader) driver(o object) provider.EngineDriver {
	return provider.EngineDriver{
		Class: r.text(o, "DriverClass"), HardwareID: r.text(o, "DriverHardwareID"), Manufacturer: r.text(o, "DriverManufacturer"),
		Model: r.text(o, "DriverModel"), Provider: r.text(o, "DriverProvider"), Date: engineDate(r.date(o, "DriverVerDate")),
	}
}

func (r *reader) categories(o object) []provider.EngineCategory {
	list := r.object(o, "Categories")
	n := min(r.number(list, "Count"), maxEngineList)
	var all []provider.EngineCategory
	for i := 0; i < n && r.err == nil; i++ {
		c := r.object(list, "Item", i)
		all = append(all, provider.EngineCategory{ID: guid(r.text(c, "CategoryID")), Name: r.text(c, "Name"), Type: r.text(c, "Type")})
	}
	return all
}

// History gives what the engine says it did.
func (e *engine) History(ctx context.Context, most int) ([]provider.EngineEvent, error) {
	return on(ctx, e, func(session object) ([]provider.EngineEvent, error) {
		r := reader{what: "reading its history"}
		defer r.release()
		searcher := r.call(session, "CreateUpdateSearcher")
		there := integer(r.ask(method, searcher, "GetTotalHistoryCount", nil))
		if there = min(there, most, maxUpdates); there <= 0 || r.err != nil {
			return nil, r.err // asked for none, the engine fails
		}
		list := r.call(searcher, "QueryHistory", 0, there)
		n := min(r.count(list, maxUpdates), there)
		var all []provider.EngineEvent
		for i := 0; i < n && r.err == nil; i++ {
			one := reader{what: r.what}
			all = append(all, one.event(one.object(list, "Item", i)))
			one.release()
			r.err = one.err
		}
		if r.err != nil {
			return nil, r.err
		}
		return all, nil
	})
}

func (r *reader) event(o object) provider.EngineEvent {
	const removal = 2
	return provider.EngineEvent{
		ID: r.identity(r.object(o, "UpdateIdentity")), Title: r.text(o, "Title"), At: engineDate(r.date(o, "Date")), Removal: r.number(o, "Operation") == removal,
		Result: provider.EngineCode(r.number(o, "ResultCode")), HResult: uint32(r.number(o, "HResult")), ByClient: r.text(o, "ClientApplicationID"),
	}
}
