package cpe_test

import (
	"strings"
	"testing"

	"patchbay/server/catalog/cpe"
)

func TestNamesOfBothFormsAreTakenApart(t *testing.T) {
	for in, want := range map[string]cpe.Name{
		"cpe:2.3:a:7-zip:7-zip:*:*:*:*:*:*:*:*":                            {Part: "a", Vendor: "7-zip", Product: "7-zip"},
		`cpe:2.3:o:hikvision:ds-2cd2026g2-iu\/sl_firmware:-:*:*:*:*:*:*:*`: {Part: "o", Vendor: "hikvision", Product: "ds-2cd2026g2-iu/sl_firmware", Version: "-"},
		`cpe:2.3:o:hikvision:ds-2cd2066g2-i\(u\)_firmware:-:*:*:*:*:*:*:*`: {Part: "o", Vendor: "hikvision", Product: "ds-2cd2066g2-i(u)_firmware", Version: "-"},
		"cpe:2.3:o:mikrotik:routeros:*:*:*:*:ltr:*:*:*":                    {Part: "o", Vendor: "mikrotik", Product: "routeros", SoftwareEdition: "ltr"},
		"cpe:2.3:o:debian:debian_linux":                                    {Part: "o", Vendor: "debian", Product: "debian_linux"},
		"cpe:/o:redhat:enterprise_linux:8::baseos":                         {Part: "o", Vendor: "redhat", Product: "enterprise_linux", Version: "8", Edition: "baseos"},
		"cpe:/a:adobe:acrobat%20x":                                         {},
		"cpe:/a:adobe:reader:9.1:-:~~pro~windows~x64~":                     {Part: "a", Vendor: "adobe", Product: "reader", Version: "9.1", Update: "-", SoftwareEdition: "pro", TargetSoftware: "windows", TargetHardware: "x64"},
		`cpe:2.3:a:acme:a\:b:1.0:*:*:*:*:*:*:*`:                            {Part: "a", Vendor: "acme", Product: "a:b", Version: "1.0"},
	} {
		got, err := cpe.Parse(in)
		if want.Part == "" {
			if err == nil {
				t.Errorf("%s is %+v", in, got)
			}
			continue
		}
		n := cpe.Product(want.Part, want.Vendor, want.Product)
		for _, f := range []struct{ to, from *string }{{&n.Version, &want.Version}, {&n.Update, &want.Update}, {&n.Edition, &want.Edition}, {&n.SoftwareEdition, &want.SoftwareEdition}, {&n.TargetSoftware, &want.TargetSoftware}, {&n.TargetHardware, &want.TargetHardware}} {
			if *f.from != "" {
				*f.to = *f.from
			}
		}
		if err != nil || got != n {
			t.Errorf("%s is %+v, %v; want %+v", in, got, err, n)
		}
	}
}

func TestWhatIsNoNameIsRefused(t *testing.T) {
	for _, in := range []string{"", "cpe:", "cpe:2.3:", "cpe:2.3:a:*:*", "cpe:2.3:x:v:p", "cpe:2.3:a:v", "cpe:2.3:a:v:p:1:2:3:4:5:6:7:8:9", "cpe:2.3:a:v:p\\", "cpe:2.3:a:v:p q", "cpe:2.3:a:v:\x1b", "cpe:2.3:a:v:-", "pkg:npm/x", "cpe:2.3:a:v:" + strings.Repeat("p", 1000)} {
		if n, err := cpe.Parse(in); err == nil {
			t.Errorf("%q is %+v", in, n)
		}
	}
}

func TestAPatternIsToldApartFromAnEscapedStar(t *testing.T) {
	a, _ := cpe.Parse("cpe:2.3:a:v:p:1.*:*:*:*:*:*:*:*")
	b, _ := cpe.Parse(`cpe:2.3:a:v:p:1.\*:*:*:*:*:*:*:*`)
	if !a.Pattern || b.Pattern || b.Version != "1.*" {
		t.Errorf("%+v, %+v", a, b)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`cpe:2.3:o:hikvision:ds-2cd2066g2-i\(u\)_firmware:-:*:*:*:*:*:*:*`)
	f.Add("cpe:/a:adobe:reader:9.1:-:~~pro~windows~x64~")
	f.Fuzz(func(t *testing.T, in string) {
		n, err := cpe.Parse(in)
		if err != nil {
			return
		}
		if again, err := cpe.Parse(n.String()); len(n.String()) <= 600 && (err != nil || again != n) {
			t.Fatalf("%q is %+v, written %s, and that is %+v, %v", in, n, n, again, err)
		}
	})
}
