package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"patchbay/server/store"
	"patchbay/server/view"
)

// kept is what the store holds of what was said, in one line.
func (w *world) kept() string {
	w.t.Helper()
	rows, err := w.store.MSP(store.Who{ID: "per_test"}).Attributes(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	text := ""
	for _, a := range rows {
		text += fmt.Sprintf("%s %s=%s by %s; ", a.Level, a.Name, a.Value, a.ByName)
	}
	return text
}

func TestWhatIsSaidOfDevicesIsKeptWithWhoSaidIt(t *testing.T) {
	w := newWorld(t, false).populated()
	device, site, customer := w.device, "/sites/"+w.site+"/attributes", "/customers/"+w.customer+"/attributes"
	if got := do[DevicesChanged](w, 200, "POST", "/devices/change", body{"devices": []string{device, device}, "exposure": "open", "roles": body{"sql": "no", "web": "yes"}}); got.Devices != 1 {
		t.Errorf("%+v", got)
	}
	if got := do[view.Attributes](w, 200, "PATCH", site, body{"criticality": "high"}); got.Criticality.Value != "high" || got.Criticality.By != "Mia" || got.Criticality.Level != "site" || got.Criticality.SetAt == nil || got.Exposure.Value != "" {
		t.Errorf("%+v", got)
	}
	do[view.Attributes](w, 200, "PATCH", customer, body{"exposure": "small"})
	if got, want := w.kept(), "customer exposure=small by Mia; device exposure=open by Mia; device role:sql=no by Mia; device role:web=yes by Mia; site criticality=high by Mia; "; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	do[DevicesChanged](w, 200, "POST", "/devices/change", body{"devices": []string{device}, "exposure": "", "roles": body{"sql": ""}})
	do[view.Attributes](w, 200, "PATCH", customer, body{"exposure": ""})
	if got, want := w.kept(), "device role:web=yes by Mia; site criticality=high by Mia; "; got != want {
		t.Errorf("taken back: %s", got)
	}
	if got := do[view.Attributes](w, 200, "GET", site, nil); got.Criticality.Value != "high" {
		t.Errorf("%+v", got)
	}
	_, text := w.call("GET", "/devices/"+device+"/timeline", nil)
	if !strings.Contains(string(text), "it is not a database server") {
		t.Errorf("the timeline does not tell it: %s", text)
	}
}

func TestWhatMakesNoSenseOfDevicesIsRefused(t *testing.T) {
	w := newWorld(t, false).populated()
	group := do[view.Group](w, 201, "POST", "/customers/"+w.customer+"/groups", NewGroup{Name: "Tills"}).ID
	for says, change := range map[string]body{
		"Say what is to be changed":    {},
		"Who reaches a device is":      {"exposure": "everybody"},
		"How much depends on a device": {"criticality": "extreme"},
		"A role is one of":             {"roles": body{"king": "yes"}},
		"and it is yes, no, or empty":  {"roles": body{"sql": "perhaps"}},
		"One of the devices is not":    {"devices": []string{w.device, "dev_none"}, "exposure": "open"},
		"expected array length >= 1":   {"devices": []string{}, "exposure": "open"},
	} {
		if change["devices"] == nil {
			change["devices"] = []string{w.device}
		}
		p := do[Problem](w, http.StatusUnprocessableEntity, "POST", "/devices/change", change)
		if text := fmt.Sprintf("%+v", p); !strings.Contains(text, says) {
			t.Errorf("want %q, got %s", says, text)
		}
	}
	do[Problem](w, 422, "PATCH", "/sites/"+w.site+"/attributes", body{})
	do[Problem](w, 422, "PATCH", "/customers/"+w.customer+"/attributes", body{"exposure": "x"})
	do[Problem](w, 404, "POST", "/devices/change", body{"devices": []string{w.device}, "join": []string{"grp_none"}})
	// A group of another customer is not there.
	other := do[view.Customer](w, 201, "POST", "/customers", NewCustomer{Name: "Lang"})
	theirs := do[view.Group](w, 201, "POST", "/customers/"+other.ID+"/groups", NewGroup{Name: "Tills"}).ID
	do[Problem](w, 404, "POST", "/devices/change", body{"devices": []string{w.device}, "join": []string{group, theirs}, "exposure": "open"})
	if got := w.kept(); got != "" {
		t.Errorf("what was refused left %s", got)
	}
}

func TestGroups(t *testing.T) {
	w := newWorld(t, false).populated()
	path := "/customers/" + w.customer + "/groups"
	tills := do[view.Group](w, 201, "POST", path, NewGroup{Name: " Tills "})
	servers := do[view.Group](w, 201, "POST", path, NewGroup{Name: "Servers"})
	if tills.Rank != 1 || servers.Rank != 2 || tills.Name != "Tills" || tills.Customer.Name != "Müller GmbH" {
		t.Errorf("%+v, %+v", tills, servers)
	}
	do[Problem](w, 409, "POST", path, NewGroup{Name: "tills"})
	do[Problem](w, 422, "POST", path, NewGroup{Name: " "})
	do[Problem](w, 404, "POST", "/customers/cus_none/groups", NewGroup{Name: "x"})
	do[DevicesChanged](w, 200, "POST", "/devices/change", body{"devices": []string{w.device}, "join": []string{servers.ID}})
	one := do[view.Group](w, 200, "PATCH", "/groups/"+servers.ID, body{"rank": 1})
	if one.Rank != 1 || one.Devices != 1 || one.Name != "Servers" {
		t.Errorf("%+v", one)
	}
	list := do[view.Page[view.Group]](w, 200, "GET", "/groups?customer="+w.customer, nil)
	if list.Total != 2 || list.Items[0].ID != servers.ID || list.Items[1].Rank != 2 {
		t.Errorf("%+v", list)
	}
	if all := do[view.Page[view.Group]](w, 200, "GET", "/groups?q=till", nil); all.Total != 1 {
		t.Errorf("%+v", all)
	}
	do[struct{}](w, 204, "DELETE", "/groups/"+servers.ID, nil)
	do[Problem](w, 404, "DELETE", "/groups/"+servers.ID, nil)
	if list := do[view.Page[view.Group]](w, 200, "GET", "/groups", nil); list.Total != 1 || list.Items[0].Rank != 1 {
		t.Errorf("%+v", list)
	}
}
