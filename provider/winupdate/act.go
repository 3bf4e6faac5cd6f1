package winupdate

import (
	"fmt"
	"strings"

	"patchbay/provider"
)

// act is one of the few things that Patchbay does about an engine that does not work. Nothing
// else is done, whatever a number says.
type act string

// The acts.
const (
	actNone  act = ""
	actStart act = "start-services"
	actCache act = "rename-download-cache"
	actStore act = "restore-component-store"
	actSpace act = "free-space" // told, never done: what may go is not known here
)

// words say what an act is, as it is told.
func (a act) words() string {
	return map[act]string{
		actStart: "starting the services that Windows Update needs",
		actCache: "moving the cache of downloads aside",
		actStore: "repairing the component store",
		actSpace: "freeing space",
	}[a]
}

// done reports whether Patchbay does it by itself.
func (a act) done() bool { return a == actStart || a == actCache || a == actStore }

// step is one program of an act. Fine says whether an exit code beside 0 is well, by what was
// said where a code alone is not enough: numbers, which are the same in all languages.
type step struct {
	args   []string
	always bool // also after an earlier step failed
	fine   func(exit int, said string) bool
}

// steps are the programs of an act, each a list of arguments.
func (a act) steps(windows string) ([]step, error) {
	switch a {
	case actStart:
		return []step{start("cryptsvc"), start("bits"), start("wuauserv")}, nil
	case actCache:
		if !windowsFolder.MatchString(windows) {
			return nil, fmt.Errorf("%w: the registry does not say where Windows is: %.80q", provider.ErrRefused, windows)
		}
		downloads := windows + `\SoftwareDistribution\Download`
		return []step{stop("wuauserv"), stop("bits"),
			// What was moved aside before goes: there is one such folder, however often this is done.
			{args: []string{"robocopy.exe", downloads, downloads + ".patchbay", "/E", "/MOVE", "/PURGE", "/XJ", "/R:1", "/W:1", "/NFL", "/NDL", "/NP"},
				fine: func(exit int, _ string) bool { return 0 < exit && exit < 8 }},
			start("bits"), start("wuauserv")}, nil
	case actStore:
		return []step{{args: []string{"dism.exe", "/online", "/cleanup-image", "/restorehealth", "/norestart"}, fine: never}}, nil
	}
	return nil, fmt.Errorf("%w: nothing here is done for %.40q", provider.ErrRefused, string(a))
}

func never(int, string) bool { return false }

// start starts a service; 1056 says that it runs already.
func start(service string) step {
	return step{args: []string{"sc.exe", "start", service}, always: true, fine: func(exit int, _ string) bool { return exit == 1056 }}
}

// stop ends a service and waits for that; 3521 says that it did not run.
func stop(service string) step {
	return step{args: []string{"net.exe", "stop", service, "/y"}, fine: func(exit int, said string) bool { return exit == 2 && strings.Contains(said, "3521") }}
}
