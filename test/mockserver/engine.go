package main

import (
	"fmt"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// Which Windows device has what wrong with its update engine: by the order in which they are made.
const (
	engineBusiest = 1 // as much of everything as there can be
	engineMends   = 2
	engineStuck   = 3
	engineOffline = 5
	engineUnread  = 6
	engineMended  = 9
	engineNew     = 10 // it has done nothing yet
)

// engine gives a Windows device what its update engine says of itself.
func (d *device) engine(n int, now time.Time) {
	d.history = engineHistory(d.system, n, now)
	if n == engineUnread {
		d.history = engineHistory(d.system, n, now.Add(-30*day)) // as it was read last
		d.unread = "reading its history: Windows Update misses what it should have kept (0x80248007). Empty the cache of downloads."
	}
	d.repair = engineRepair(n, now)
	d.facts.Restart.Sources = restartSources(n, d.facts.Restart.Machine, now)
	if n == engineBusiest {
		d.facts.Restart.Reasons = []string{"214 files to be replaced or removed at the next start (weak)", "Windows Update", "Windows component servicing", "a new computer name", "an update's own installer"}
	}
	if n == engineMends {
		d.facts.Restart.Machine, d.facts.Restart.Reasons = true, []string{"Windows Update"}
	}
	booted := now.Add(-time.Duration(n*97+14) * time.Hour).Truncate(time.Second)
	d.facts.BootedAt = &booted
}

// restartSources are the places in which it says that it waits for a restart.
func restartSources(n int, asks bool, now time.Time) []wire.RestartSource {
	at := func(hours int) *time.Time {
		v := now.Add(-time.Duration(hours) * time.Hour).Truncate(time.Second)
		return &v
	}
	list := []wire.RestartSource{{Kind: wire.RestartByUpdate, State: wire.RestartQuiet}, {Kind: wire.RestartByStore, State: wire.RestartQuiet},
		{Kind: wire.RestartByInstaller, State: wire.RestartQuiet}, {Kind: wire.RestartByName, State: wire.RestartQuiet}, {Kind: wire.RestartByRenames, State: wire.RestartQuiet}}
	if asks || n == engineMends {
		list[0].State, list[0].At = wire.RestartAsks, at(29)
	}
	if asks {
		list[1].State, list[1].At = wire.RestartAsks, at(30)
		list[4].State, list[4].Count = wire.RestartWaits, 12
	}
	switch n {
	case engineBusiest:
		list[2].State, list[2].At = wire.RestartAsks, at(6*24)
		list[3].State, list[3].At = wire.RestartAsks, at(3*24)
		list[4].Count = 214
	case engineMended:
		list[2].State, list[2].Why = wire.RestartUnknown, `the key HKLM\SOFTWARE\Microsoft\Updates cannot be read: Access is denied`
		list[4].State, list[4].Count = wire.RestartWaits, 2
	}
	return list
}

// engineRepair is what is wrong with the engine, and what was done about it.
func engineRepair(n int, now time.Time) *patch.Repair {
	at := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour).Truncate(time.Second) }
	moment := func(hours int) *time.Time { v := at(hours); return &v }
	const start, cache, store = "starting the services that Windows Update needs", "moving the cache of downloads aside", "repairing the component store"
	switch n {
	case engineStuck:
		return &patch.Repair{Turn: patch.TurnPerson, Search: true, Since: moment(11 * 24), At: moment(3), Code: "0x80070422",
			Why: "The Windows Update service, or one that it needs, is switched off", Next: "Set wuauserv, bits and cryptsvc to manual or automatic; somebody switched one off.",
			Act: start, Tries: 3, Most: 3, Done: []patch.RepairAct{
				{At: at(8*24 - 3), Act: start, Code: "0x80070422", Try: 3, Result: patch.RepairFailed, Said: "sc.exe start wuauserv ended with 1058: [SC] StartService FAILED 1058: The service cannot be started, either because it is disabled or because it has no enabled devices associated with it."},
				{At: at(9*24 - 2), Act: start, Code: "0x80070422", Try: 2, Result: patch.RepairCut},
				{At: at(10 * 24), Act: start, Code: "0x80070422", Try: 1, Result: patch.RepairFailed, Said: "sc.exe start wuauserv ended with 1058"}}}
	case engineMends:
		return &patch.Repair{Turn: patch.TurnPatchbay, At: moment(5), Code: "0x80073712", Why: "The component store is damaged",
			Next: "Repair the component store: dism /online /cleanup-image /restorehealth.", Act: store, Tries: 1, Most: 3, After: moment(-19),
			Done: []patch.RepairAct{{At: at(5), Act: store, Code: "0x80073712", Try: 1, Result: patch.RepairFailed, Said: "dism.exe /online /cleanup-image ended with 14098: The component store has been corrupted."}}}
	case engineOffline:
		return &patch.Repair{Turn: patch.TurnRetry, Search: true, Since: moment(3 * 24), At: moment(1), Code: "0x8024402C",
			Why: "The server's name or the proxy's is not found", Next: "See that the device reaches the update server: name resolution, proxy, firewall."}
	case engineMended:
		return &patch.Repair{Turn: patch.TurnNobody, Done: []patch.RepairAct{{At: at(6 * 24), Act: cache, Code: "0x80246002", Try: 1, Result: patch.RepairWorked}}}
	}
	return nil
}

// engineSource is the source as that device tells it.
func (d *device) engineSource(s patch.Source) patch.Source {
	s.Repair = d.repair
	if r := d.repair; r != nil && r.Search {
		worked := *r.Since
		s.RefreshedAt, s.Error = &worked, fmt.Sprintf("searching for updates: %s (%s). %s", r.Why, r.Code, r.Next)
	}
	return s
}

// engineHistory is what the engine says it did, the newest first.
func engineHistory(system []systemUpdate, n int, now time.Time) []patch.Event {
	if n == engineNew {
		return []patch.Event{}
	}
	count := 34
	if n == engineBusiest {
		count = patch.MaxHistory
	}
	definition := func(i int) patch.Event {
		title := fmt.Sprintf("Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.419.%d.0) - Current Channel (Broad)", 512-4*i)
		return patch.Event{Name: "KB2267602", Title: title, Instance: guid(title), Version: "200", Result: patch.EventSucceeded, By: "Windows Defender"}
	}
	var list []patch.Event
	for i := range count {
		e := definition(i)
		if len(system) > 0 && i%4 == 2 {
			s := system[i/4%len(system)]
			e = patch.Event{Name: s.Name, Title: s.Title, Instance: s.Instance, Version: s.Available, Result: patch.EventSucceeded, By: "UpdateOrchestrator"}
		}
		switch i % 17 {
		case 6:
			e.Result, e.Code, e.Why = patch.EventFailed, "0x800F0922", "A part of the update could not be installed"
		case 10:
			e.By, e.Result, e.Code, e.Why = "Patchbay", patch.EventFailed, "0x80240034", "The update could not be downloaded"
		case 14:
			e.Result, e.Code, e.Why = patch.EventPartly, "0x80070643", "The update's installer met an error it does not name"
		case 15:
			e.Removal, e.By = true, "wusa"
		case 16:
			e.Result, e.Code, e.Why = patch.EventAborted, "0x8024000B", "Somebody or something cancelled it"
		}
		at := now.Add(-time.Duration(i*9+2) * time.Hour).Truncate(time.Second)
		e.At = &at
		list = append(list, e)
	}
	list[0].Result = patch.EventInProgress
	last := &list[len(list)-1]
	*last = patch.Event{Name: "HP Inc. - SoftwareComponent - 1.62.3891.0", Title: "HP Inc. - SoftwareComponent - 1.62.3891.0", Result: patch.EventUnknown, By: "ein Werkzeug, das sich einen sehr langen Namen gegeben hat, den niemand kürzt"}
	return list
}

// busiest are as many updates as a machine that nobody looked after may have, with long names,
// of all classes.
func busiest() []systemUpdate {
	const reboots, mb = patch.Yes, 1 << 20
	var list []systemUpdate
	makers := []string{"Intel Corporation - SoftwareComponent", "Realtek Semiconductor Corp. - Extension", "Advanced Micro Devices, Inc. - System", "HP Development Company, L.P. - Firmware"}
	for i := range 36 {
		title := fmt.Sprintf("%s - Treiber für Schranke, Waage und Kamera an der Einfahrt Ost, Fassung %d.%d.%d", makers[i%len(makers)], 10+i%7, i, 19627+i)
		list = append(list, system("", title, time.Duration(i+2)*day, int64(i+1)*mb, patch.Unknown, patch.Driver).stays())
	}
	for i := range 6 {
		kb := fmt.Sprintf("KB50446%02d", i)
		title := fmt.Sprintf("2024-%02d Dynamic Cumulative Update for Windows 11 Version 23H2 for x64-based Systems (%s)", 5+i, kb)
		list = append(list, system(kb, title, time.Duration(20+i)*day, 300*mb, reboots, patch.Security).with(patch.SeverityHigh, 3+i, 30001+i*90))
	}
	for i, class := range []patch.Class{patch.Critical, patch.Rollup, patch.ServicePack, patch.Tool, patch.Other, patch.BugFix, patch.Critical, patch.Rollup} {
		kb := fmt.Sprintf("KB50441%02d", i)
		s := system(kb, fmt.Sprintf("Update of the class %s for Microsoft SQL Server Management Studio and its Language Packs (%s)", class, kb), time.Duration(8+i)*day, 40*mb, patch.No, class)
		if i%3 == 0 {
			s = s.chosen("It has a licence that nobody agreed to on this device. Whoever approves it agrees to it, and it is agreed to when it is installed.")
			s.Licence = true
		}
		list = append(list, s)
	}
	return list
}
