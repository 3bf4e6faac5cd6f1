package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unique"

	"pgregory.net/rapid"

	"patchbay/server/catalog/endoflife"
	"patchbay/server/catalog/support"
	"patchbay/server/view"
)

// aged are products with cycles that end so many days from now.
func aged(t interface{ Fatal(...any) }, days map[string]int) func() *support.Products {
	var b strings.Builder
	for name, n := range days {
		fmt.Fprintf(&b, `{"_name":%q,"title":%q,"releases":[{"releaseCycle":"1","eol":%q}]}`+"\n", name, strings.ToUpper(name), now.AddDate(0, 0, n).Format(time.DateOnly))
	}
	var list []endoflife.Product
	if _, err := endoflife.Read(strings.NewReader(b.String()), func(p endoflife.Product) error { list = append(list, p); return nil }); err != nil {
		t.Fatal(err)
	}
	p := support.NewProducts(list)
	return func() *support.Products { return p }
}

func life(kind support.Kind, product string) Life {
	return Life{Of: unique.Make(support.Named{Kind: kind, Product: product, Version: "1"}), Item: product, Version: "1", Times: 1}
}

// living is a device with a system and programs, and other items that nobody speaks of.
func livingOn(n, customers, others int, system string, programs ...string) *Entry {
	e := device(n, customers, now)
	if system != "" {
		e.Lives.System = life(support.System, system)
	}
	for _, p := range programs {
		e.Lives.Items = append(e.Lives.Items, life(support.Application, p))
		e.Lives.Count(false, true)
	}
	for range others {
		e.Lives.Count(false, false)
	}
	return e
}

func TestWhatIsOutOfSupport(t *testing.T) {
	x := New(0)
	ends := Ends{x, aged(t, map[string]int{"old": -1, "today": 0, "soon": 30, "later": 400})}
	for _, e := range []*Entry{livingOn(1, 2, 0, "old", "soon", "later"), livingOn(2, 2, 3, "later", "old"), livingOn(3, 2, 0, "unheard-of"), livingOn(4, 2, 0, "")} {
		x.Put(e)
	}
	within := func(days int, f view.SupportFilter) string {
		f.Within = days
		var list []string
		for _, r := range ends.Support(f, now).Items {
			list = append(list, fmt.Sprintf("%s %s %s %d", r.Kind, r.Product, r.State, r.Devices))
		}
		return strings.Join(list, ", ")
	}
	for _, c := range []struct {
		days int
		f    view.SupportFilter
		want string
	}{
		{90, view.SupportFilter{}, "application old ended 1, os old ended 1, application soon ending 1"},
		{29, view.SupportFilter{}, "application old ended 1, os old ended 1"},
		{90, view.SupportFilter{Kind: "os"}, "os old ended 1"},
		{90, view.SupportFilter{Filter: view.Filter{Customer: "cus_0"}}, "application old ended 1"},
		{90, view.SupportFilter{Filter: view.Filter{State: view.SupportUnknown}}, "os unheard-of unknown 1"},
		{90, view.SupportFilter{Filter: view.Filter{State: view.SupportSupported}}, "application later supported 1, os later supported 1"},
		{90, view.SupportFilter{Filter: view.Filter{Q: "soon"}}, "application soon ending 1"},
	} {
		if got := within(c.days, c.f); got != c.want {
			t.Errorf("within %d days, %+v: %s, want %s", c.days, c.f, got, c.want)
		}
	}
	s := ends.SupportSummary(view.SupportFilter{Within: 90}, now)
	system, programs, hardware := s.Kinds[0], s.Kinds[1], s.Kinds[2]
	if system.Devices != 4 || system.Ended != 1 || system.Unknown != 2 {
		t.Errorf("systems: %+v", system)
	}
	if programs.Devices != 4 || programs.Ended != 1 || programs.Ending != 1 || programs.Unknown != 2 || programs.Items != 6 || programs.Known != 3 || programs.Unmapped != 3 {
		t.Errorf("applications: %+v", programs)
	}
	if hardware.Unknown != 4 || hardware.Devices != 4 || hardware.Why == "" {
		t.Errorf("hardware: %+v", hardware)
	}
	if got := ends.SupportDevices(view.Filter{}, "os:old:1", now); got.Total != 1 || got.Items[0].Device.ID != "dev_00001" {
		t.Errorf("%+v", got)
	}
	of, ok := ends.DeviceSupport("dev_00001", 90, now)
	if !ok || of.System.State != view.SupportEnded || len(of.Applications) != 2 || of.Applications[0].Item != "soon" || of.Hardware == "" {
		t.Errorf("%+v", of)
	}
}

// TestNobodyIsWellWithoutAFeed: nothing is known then, and all devices are counted as that.
func TestNobodyIsWellWithoutAFeed(t *testing.T) {
	x := New(0)
	x.Put(livingOn(1, 1, 0, "later", "later"))
	ends := Ends{Index: x}
	s := ends.SupportSummary(view.SupportFilter{Within: 90}, now)
	if s.Products != 0 || s.Kinds[0].Unknown != 1 || s.Kinds[1].Known != 0 || s.Kinds[1].Unmapped != 1 {
		t.Errorf("%+v", s)
	}
	if page := ends.Support(view.SupportFilter{Within: 90, Filter: view.Filter{State: view.SupportSupported}}, now); page.Total != 0 {
		t.Errorf("%+v", page)
	}
}

// TestSupportIsWhatDevicesHave: whatever comes, changes and goes, the sets say the same as
// counting it all anew; every device counts once in each line; a customer's devices are none of
// another's; and looking further ahead only ever shows more.
func TestSupportIsWhatDevicesHave(t *testing.T) {
	names := []string{"old", "today", "soon", "later", "unheard-of"}
	known := aged(t, map[string]int{"old": -1, "today": 0, "soon": 30, "later": 400})
	rapid.Check(t, func(t *rapid.T) {
		x, have := New(0), map[int]*Entry{}
		ends := Ends{x, known}
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			n := rapid.IntRange(1, 6).Draw(t, "device")
			if rapid.IntRange(0, 4).Draw(t, "goes") == 0 {
				x.Remove(fmt.Sprintf("dev_%05d", n))
				delete(have, n)
				continue
			}
			programs := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID).Draw(t, "programs")
			e := livingOn(n, 2, 1, rapid.SampledFrom(append(names, "")).Draw(t, "system"), programs...)
			x.Put(e)
			have[n] = e
		}
		for _, customer := range []string{"", "cus_0", "cus_1"} {
			want := map[string]int{}
			for _, e := range have {
				for _, l := range e.Lives.all() {
					if n := l.Of.Value(); customer == "" || e.Device.Customer == customer {
						want[string(n.Kind)+":"+n.Product]++
					}
				}
			}
			got, before := map[string]int{}, 0
			f := view.SupportFilter{Within: 90, Filter: view.Filter{Customer: customer}}
			for _, state := range []string{view.SupportEnded, view.SupportEnding, view.SupportSupported, view.SupportUnknown} {
				f.State = state
				for _, r := range ends.Support(f, now).Items {
					got[r.Kind+":"+r.Product] += r.Devices
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%q: %v, want %v", customer, got, want)
			}
			f.State = ""
			for _, f.Within = range []int{0, 29, 30, 400, 3650} {
				total := ends.Support(f, now).Total
				if total < before {
					t.Fatalf("%d days ahead there are %d, fewer than %d", f.Within, total, before)
				}
				before = total
			}
		}
		if len(have) == 0 && len(x.living) > 0 {
			t.Fatal("sets of what nobody has are kept")
		}
	})
}

// TestMonthsHoldWhatEndsInThem, from the first day of this one to the last of the last.
func TestMonthsHoldWhatEndsInThem(t *testing.T) {
	x := New(0)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	days := func(at time.Time) int { return int(at.Sub(now.Truncate(24*time.Hour)).Hours() / 24) }
	ends := Ends{x, aged(t, map[string]int{"before": days(first.AddDate(0, 0, -1)), "first": days(first), "last": days(first.AddDate(0, monthsShown, -1)), "after": days(first.AddDate(0, monthsShown, 0))})}
	x.Put(livingOn(1, 1, 0, "first", "before", "last", "after"))
	x.Put(livingOn(2, 1, 0, "first", "last"))
	months := ends.SupportSummary(view.SupportFilter{Within: 90}, now).Months
	if len(months) != monthsShown || months[0].Systems != 2 || months[0].Applications != 0 || !slices.Equal(months[0].What, []string{"FIRST 1"}) || months[monthsShown-1].Applications != 2 {
		t.Fatalf("%+v", months)
	}
	for _, m := range months[1 : monthsShown-1] {
		if m.Systems+m.Applications > 0 {
			t.Errorf("%+v", m)
		}
	}
}
