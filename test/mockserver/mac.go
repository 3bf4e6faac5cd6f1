package main

import (
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

func macReleases() []release {
	return []release{
		{provider: apple, name: "macOS", publisher: "Apple", from: "14.6.1-23G93", to: "14.7-23H124", age: 24 * day, security: true, size: 2_914_123_776, reboot: true},
		{provider: apple, name: "Safari", publisher: "Apple", from: "17.6", to: "18.0.1", age: 5 * day, security: true, size: 178_257_920},
		{provider: brew, name: "openssl@3", publisher: "Homebrew", from: "3.3.1", to: "3.3.2", age: 22 * day},
		{provider: brew, name: "git", publisher: "Homebrew", from: "2.46.1", to: "2.46.2", age: 5 * day},
		{provider: brew, name: "libreoffice", publisher: "Homebrew", instance: "cask", from: "24.8.1", to: "24.8.2", age: 11 * day},
		{provider: brew, name: "firefox", publisher: "Homebrew", instance: "cask", from: "130.0.1", to: "131.0.2", age: 40 * time.Hour, updater: "Firefox"},
	}
}

func (d *device) mac(i, n int) {
	names := []string{"macbook-geschäftsführung", "imac-empfang", "mac-mini-bau", "macbook-lang"}
	d.facts = wire.Facts{Hostname: named(names, n, i), OS: "darwin", Distro: "macos", Release: "14.6.1", OSName: "macOS Sonoma 14.6.1", Kernel: "23.6.0",
		Architecture: "arm64", BootID: "b1", Zone: "Europe/Berlin", Providers: traitsOf(brew, apps, apple), Restart: wire.Restart{Services: []string{}}}
	for at, r := range macReleases() {
		if at == 0 || (at+n)%4 != 0 {
			d.installed = append(d.installed, r.item(r.from))
		}
	}
	d.installed = append(d.installed,
		patch.Item{Provider: apps, Name: "Keynote", Version: "14.2", Updater: "the App Store"},
		patch.Item{Provider: apps, Name: "Zoom Workplace", Version: "6.1.11", Updater: "Zoom's own updater"},
		patch.Item{Provider: apps, Name: "Ableton Live 11 Suite", Version: "11.3.21", Orphan: true})
	if n%4 == 1 {
		d.quiet = true
	}
	if n%4 == 2 {
		d.facts.Patchers = []string{"Jamf"}
	}
}
