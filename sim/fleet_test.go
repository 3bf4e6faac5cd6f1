package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"os"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

var epoch = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func grow(t testing.TB, s Shape) *Fleet {
	t.Helper()
	f, err := Grow(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t testing.TB, h hash.Hash, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	h.Write(text)
}

// The figures of a fleet are worth nothing when it is another one elsewhere.
func TestTheReferenceFleetIsTheSameEverywhere(t *testing.T) {
	f := grow(t, Reference())
	h := sha256.New()
	for _, part := range []any{f.Customers, f.Sites, f.Devices} {
		write(t, h, part)
	}
	for i := 0; i < len(f.Devices); i += 97 { // all of them would take a second or two
		sections, err := f.Sections(f.Devices[i], i, Reading{BootID: "boot", ScannedAt: epoch, RefreshedAt: epoch})
		if err != nil {
			t.Fatal(err)
		}
		write(t, h, sections)
	}
	want, err := os.ReadFile("testdata/reference.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != strings.TrimSpace(string(want)) {
		t.Errorf("the reference fleet is %s; figures made before are of another one. Was that meant?", got)
	}
}

func TestAnotherSeedIsAnotherFleet(t *testing.T) {
	a, b := Scaled(200), Scaled(200)
	b.Seed = 2
	if grow(t, a).Devices[7].Hostname == grow(t, b).Devices[7].Hostname && grow(t, a).Customers[0] == grow(t, b).Customers[0] {
		t.Error("two seeds gave the same names")
	}
}

func TestTheReferenceFleetHasItsShares(t *testing.T) {
	f := grow(t, Reference())
	system, zones, silent, long := map[string]int{}, map[string]bool{}, 0, 0
	customers := map[int]int{}
	for _, d := range f.Devices {
		system[f.catalog.Systems[d.System].OS]++
		zones[f.Sites[d.Site].Zone] = true
		customers[f.Sites[d.Site].Customer]++
		if d.Silent {
			silent++
		}
		if len(d.Hostname) == 80 {
			long++
		}
		if len(d.Hostname) > 80 {
			t.Errorf("the name %q is too long", d.Hostname)
		}
	}
	if system["windows"] != 15_000 || system["linux"] != 3_000 || system["darwin"] != 2_000 {
		t.Errorf("the systems are %v", system)
	}
	if silent != 1_000 || len(zones) != 40 || len(customers) != 300 || len(f.Devices) != 20_000 {
		t.Errorf("%d silent, %d zones, %d customers with %d devices", silent, len(zones), len(customers), len(f.Devices))
	}
	if long < 200 || long > 600 {
		t.Errorf("%d long names", long)
	}
	for c, n := range customers {
		if n > 1_000 {
			t.Errorf("customer %d has %d devices", c, n)
		}
	}
}

func TestTheReferenceFleetHasTwelveThousandInventories(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 20,000 inventories")
	}
	f := grow(t, Reference())
	distinct, numbers := map[string]bool{}, map[int]bool{}
	for _, d := range f.Devices {
		if numbers[d.Inventory] {
			continue
		}
		numbers[d.Inventory] = true
		text, err := json.Marshal(f.Software(d))
		if err != nil {
			t.Fatal(err)
		}
		distinct[wire.Hash(text)] = true
	}
	if len(distinct) != 12_000 || len(numbers) != 12_000 {
		t.Errorf("%d distinct inventories under %d numbers", len(distinct), len(numbers))
	}
}

// What the server does with an inventory rests on this order and these keys.
func TestSoftwareIsSortedAndNamesEachItemOnce(t *testing.T) {
	f := grow(t, Scaled(300))
	for _, d := range f.Devices {
		for _, sw := range f.Software(d) {
			if len(sw.Updates) == 0 {
				t.Errorf("%s has nothing on offer", d.Hostname)
			}
			versions := map[patch.Key]string{}
			for i, item := range sw.Items {
				if i > 0 && sw.Items[i-1].Key().Compare(item.Key()) >= 0 {
					t.Fatalf("%v is not before %v", sw.Items[i-1].Key(), item.Key())
				}
				versions[item.Key()] = item.Version
			}
			for _, u := range sw.Updates {
				if versions[u.Key()] != u.Installed || u.Available == u.Installed {
					t.Errorf("%v: %q to %q, installed is %q", u.Key(), u.Installed, u.Available, versions[u.Key()])
				}
			}
		}
	}
}

func TestWhatWasInstalledIsReadAndNoLongerOnOffer(t *testing.T) {
	f := grow(t, Scaled(20))
	d := f.Devices[0]
	u := f.Software(d)[0].Updates[0]
	sections, err := f.Sections(d, 0, Reading{Changed: map[string]string{u.Key().String(): u.Available}})
	if err != nil {
		t.Fatal(err)
	}
	var items []patch.Item
	var offers []patch.Update
	for _, s := range sections {
		switch s.Name {
		case u.Provider + "/" + wire.InstalledSection:
			err = json.Unmarshal(s.Body, &items)
		case u.Provider + "/" + wire.OfferedSection:
			err = json.Unmarshal(s.Body, &offers)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := false
	for _, i := range items {
		seen = seen || i.Key() == u.Key() && i.Version == u.Available
	}
	for _, o := range offers {
		if o.Key() == u.Key() {
			t.Error("it is still on offer")
		}
	}
	if !seen {
		t.Error("the new version is not among what is installed")
	}
}
