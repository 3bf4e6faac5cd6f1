package crash

import (
	"errors"
	"maps"
	"time"

	"patchbay/server/api"
	"patchbay/server/store"
	"patchbay/server/view"
)

// scene is something that happens, from one of the beginnings.
type scene struct {
	from string
	rest bool // the server is not begun: the scene does that
	// starts says that the server is cut off while it starts, too. It starts alike in all the others.
	starts bool
	play   func(w *world)
	want   map[string]string // what is shown of each need in the end
}

func one(shown string, items ...string) map[string]string {
	want := map[string]string{}
	for _, i := range items {
		want["one "+i] = shown
	}
	return want
}

const (
	verified = "1.1 to 1.1 VERIFIED"
	waiting  = "1.0 to 1.1 WAITS_DECISION"
	rejected = "1.0 to 1.1 REJECTED"
)

// scenes are all of them. Each step is taken again until it was answered.
func scenes() map[string]scene {
	all := map[string]scene{
		"a machine joins": {from: "empty", starts: true, want: one(waiting, "curl"), play: func(w *world) {
			m := w.machine("one")
			m.Offers["curl"] = "1.1"
			w.joins(m)
			w.tells(m)
			m.scan()
			w.tells(m)
			w.tells(m)
		}},
		"a certificate is renewed": {from: "joined", want: one(waiting, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.pass(4 * 24 * time.Hour)
			w.do("one renews", m.renew)
			m.scan()
			w.tells(m)
		}},
		"a device is retired": {from: "joined", want: nil, play: func(w *world) {
			m := w.offered("curl")
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			w.retires(m)
			w.do("one is refused", func() error {
				if err := m.tell(); err == nil {
					w.fault("a retired device is answered")
				}
				if !m.gone {
					return errors.New("it was not refused")
				}
				return nil
			})
		}},
		"people change this and that": {from: "joined", want: one(waiting, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.changes("the name of a device", "PATCH", "/devices/"+m.id.Device, api.DeviceChange{Name: "till"}, func(s *store.Store) bool {
				d, err := s.Customer(who, w.customer).Device(w.t.Context(), m.id.Device)
				return err == nil && d.Name == "till"
			})
			w.changes("to read a device anew", "POST", "/devices/"+m.id.Device+"/checkin", nil, func(s *store.Store) bool {
				d, err := s.Customer(who, w.customer).Device(w.t.Context(), m.id.Device)
				return err == nil && d.FreshAfter != nil
			})
			w.tells(m)
			w.changes("the policy of a site", "PATCH", "/sites/"+w.site, api.SiteChange{Policy: &view.Policy{Auto: "by_hand"}}, func(s *store.Store) bool {
				row, err := s.Customer(who, w.customer).Site(w.t.Context(), w.site)
				return err == nil && len(row.Policy.Windows) == 0
			})
			w.tells(m)
			if len(m.Wish.Devices) != 1 || len(m.Wish.Devices[0].Windows.Weekly) != 0 || m.Wish.Devices[0].FreshAfter == nil {
				w.fault("the machine is wished %+v", m.Wish)
			}
		}},
	}
	maps.Copy(all, jobScenes())
	maps.Copy(all, rareScenes())
	maps.Copy(all, contentScenes())
	return all
}

// jobScenes are the scenes of jobs.
func jobScenes() map[string]scene {
	return map[string]scene{
		"a person approves": {from: "joined", starts: true, want: one(verified, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			w.works(m)
		}},
		"a rule decides, and one fails": {from: "joined", want: one(verified, "curl", "nginx"), play: func(w *world) {
			m := w.offered("curl", "nginx")
			w.changes("the policy of a site", "PATCH", "/sites/"+w.site, api.SiteChange{Policy: always("security")}, nil)
			w.hears(m)
			w.works(m, "nginx")
			w.pass(2 * time.Hour)
			w.hears(m)
			w.works(m)
		}},
		"rejected before it begins": {from: "joined", want: one(rejected, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			w.answers(m, "curl", store.Reject)
			w.isWished(m, 0)
		}},
		"rejected after it begins": {from: "joined", want: one(verified, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			m.begin()
			w.tells(m)
			w.answers(m, "curl", store.Reject)
			w.tells(m)
			w.works(m)
		}},
		"rejected, then approved": {from: "joined", want: one(verified, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.answers(m, "curl", store.Reject)
			w.tells(m)
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			w.works(m)
		}},
		"an answer is withdrawn": {from: "joined", want: one(waiting, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			w.withdraws(m, "curl")
			w.isWished(m, 0)
		}},
		"tried again by hand": {from: "joined", want: one(verified, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			w.works(m, "curl")
			w.retries(m, "curl")
			w.hears(m)
			w.works(m)
		}},
		"offline, then all at once": {from: "joined", want: one(verified, "curl", "nginx"), play: func(w *world) {
			m := w.offered("curl", "nginx")
			w.changes("the policy of a site", "PATCH", "/sites/"+w.site, api.SiteChange{Policy: always("security")}, nil)
			w.hears(m)
			m.begin()
			w.pass(time.Hour)
			m.finish("nginx")
			w.tells(m)
			w.pass(2 * time.Hour)
			w.hears(m)
			m.begin()
			m.finish()
			w.tells(m)
			w.tells(m)
		}},
		"called for": {from: "joined", want: one(verified, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.listens(m)
			w.answers(m, "curl", store.Approve)
			w.called(m)
			w.hears(m)
			w.works(m)
		}},
	}
}

// always is a policy with windows at all times.
func always(auto string) *view.Policy {
	return &view.Policy{Auto: auto, Windows: []view.Weekly{{Zone: "UTC", Start: "00:00", Minutes: 24 * 60,
		Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}}}}
}
