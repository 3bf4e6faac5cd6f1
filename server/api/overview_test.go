package api

import (
	"bytes"
	"net/http"
	"testing"

	"patchbay/server/view"
)

// A machine that does not come back is said before everything else, and where to look.
func TestMachineThatDoesNotComeBackComesFirst(t *testing.T) {
	w := newWorld(t, false).populated()
	list := do[view.Overview](w, http.StatusOK, "GET", "/overview", nil).Attention
	if len(list) > 0 && list[0].Kind == "not_back" {
		t.Fatalf("nothing was told to restart: %+v", list)
	}
	w.fleet.mu.Lock()
	w.fleet.notBack = map[string]bool{w.fleet.devices[0].ID: true}
	name := w.fleet.devices[0].Name
	w.fleet.mu.Unlock()
	list = do[view.Overview](w, http.StatusOK, "GET", "/overview", nil).Attention
	if len(list) == 0 || list[0].Kind != "not_back" || list[0].Sentence != name+" was told to restart and has not been heard of since." ||
		list[0].Link.Page != "devices" || list[0].Link.Params["state"] != "not_back" {
		t.Errorf("%+v", list)
	}
	page := do[view.Page[view.Device]](w, http.StatusOK, "GET", "/devices?state=not_back", nil)
	if page.Total != 1 {
		t.Errorf("%d devices", page.Total)
	}
}

// Where all is well there is nothing to look at, and that is an empty list.
func TestNothingToLookAtIsAnEmptyList(t *testing.T) {
	w := newWorld(t, false).populated()
	w.fleet.postures = map[string]view.Posture{w.customer: {Devices: 1, Needs: 2, Verified: 2}}
	_, text := w.call("GET", "/overview", nil)
	if bytes.Contains(text, []byte(":null")) || !bytes.Contains(text, []byte(`"attention":[]`)) {
		t.Errorf("%s", text)
	}
}

// A site's policy keeps who restarts services, and means by hand where nobody said.
func TestSitePolicySaysWhoRestartsServices(t *testing.T) {
	w := newWorld(t, false).populated()
	site := do[view.Page[view.Site]](w, http.StatusOK, "GET", "/sites", nil).Items[0]
	if site.Policy.Restarts != "by_hand" {
		t.Errorf("unasked: %q", site.Policy.Restarts)
	}
	for _, want := range []string{"in_window", "by_hand"} {
		policy := map[string]any{"auto": "security", "restarts": want}
		if got := do[view.Site](w, http.StatusOK, "PATCH", "/sites/"+site.ID, map[string]any{"policy": policy}).Policy.Restarts; got != want {
			t.Errorf("set to %q it is %q", want, got)
		}
	}
	do[Problem](w, http.StatusUnprocessableEntity, "PATCH", "/sites/"+site.ID, map[string]any{"policy": map[string]any{"auto": "security", "restarts": "always"}})
}

// A site's policy keeps what is said of reboots, means never where nothing was said, and takes
// nothing that no device could follow.
func TestSitePolicySaysWhenDevicesReboot(t *testing.T) {
	w := newWorld(t, false).populated()
	site := do[view.Page[view.Site]](w, http.StatusOK, "GET", "/sites", nil).Items[0]
	set := func(status int, reboots map[string]any) view.Reboots {
		policy := map[string]any{"auto": "security"}
		if reboots != nil {
			policy["reboots"] = reboots
		}
		if status != http.StatusOK {
			do[Problem](w, status, "PATCH", "/sites/"+site.ID, map[string]any{"policy": policy})
			return view.Reboots{}
		}
		return do[view.Site](w, status, "PATCH", "/sites/"+site.ID, map[string]any{"policy": policy}).Policy.Reboots
	}
	ask := view.Reboots{When: "ask", Postpone: 2, DeadlineHours: 24, Daily: 1}
	if got := set(http.StatusOK, map[string]any{"when": "ask", "postpone": 2, "deadline_hours": 24, "daily": 1}); got != ask {
		t.Errorf("asked for %+v it is %+v", ask, got)
	}
	if got := set(http.StatusOK, map[string]any{"when": "window", "postpone": 2, "deadline_hours": 24, "daily": 0}); got != (view.Reboots{When: "window"}) {
		t.Errorf("in the window: %+v", got)
	}
	if got := set(http.StatusOK, nil); got.When != "never" {
		t.Errorf("unasked: %+v", got)
	}
	for _, bad := range []map[string]any{
		{"when": "ask", "daily": 1}, {"when": "ask", "deadline_hours": 400, "daily": 1}, {"when": "always", "daily": 1}, {"when": "window"},
		{"when": "window", "daily": -1}, {"when": "ask", "deadline_hours": 4, "postpone": 99, "daily": 1},
	} {
		set(http.StatusUnprocessableEntity, bad)
	}
}
