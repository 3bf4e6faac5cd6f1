package storeapps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"patchbay/provider"
	"patchbay/provider/providertest"
)

// machine is a recorded registry.
type machine struct {
	*providertest.Export
	shut string // the beginning of what cannot be read
}

func (m machine) Files() fs.FS { return fstest.MapFS{} }
func (m machine) Run(context.Context, provider.Command) (provider.Result, error) {
	return provider.Result{}, errors.ErrUnsupported
}
func (m machine) Registry(path string, view provider.View) (provider.RegistryKey, error) {
	if m.shut != "" && strings.HasPrefix(path, m.shut) {
		return provider.RegistryKey{}, fs.ErrPermission
	}
	return m.Export.Registry(path, view)
}

func recorded(t *testing.T, keys ...string) machine {
	t.Helper()
	text := "[HKU\\.DEFAULT]\n"
	for _, k := range keys {
		text += "[" + k + "]\n"
	}
	export, err := providertest.ParseExport([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return machine{Export: export}
}

const ben = "S-1-5-21-1-2-3-1001"

func TestPackagesAreWhoseTheyAre(t *testing.T) {
	m := recorded(t,
		everybody+`\Microsoft.WindowsCalculator_11.2405.2.0_x64__8wekyb3d8bbwe`,
		everybody+`\Microsoft.WindowsCalculator_11.2311.0.0_x64__8wekyb3d8bbwe`,
		everybody+`\Microsoft.VCLibs.140.00_14.0.33519.0_x64__8wekyb3d8bbwe`,
		everybody+`\Microsoft.VCLibs.140.00_14.0.33519.0_x86__8wekyb3d8bbwe`,
		everybody+`\Microsoft.Windows.Photos_2024.1_neutral_~_8wekyb3d8bbwe`, // no version of four numbers
		everybody+`\..\..\evil_1.0.0.0_x64__8wekyb3d8bbwe`,
		`HKU\`+ben+own+`\Microsoft.WindowsCalculator_11.2405.2.0_x64__8wekyb3d8bbwe`,
		`HKU\`+ben+own+`\5319275A.WhatsAppDesktop_2.2412.10.0_x64_split.scale-100_cv1g1gvanyjgm`,
		`HKU\S-1-5-18`+own+`\Of.TheSystem_1.0.0.0_x64__8wekyb3d8bbwe`,
		`HKU\`+ben,
	)
	p, err := Kind().Open(t.Context(), provider.Env{Host: m})
	if err != nil {
		t.Fatal(err)
	}
	items, err := p.Installed(t.Context())
	var got []string
	for _, i := range items {
		got = append(got, fmt.Sprint(i.Key(), " ", i.Version, " by ", i.Updater))
	}
	want := []string{
		"storeapps/5319275A.WhatsAppDesktop:x64#cv1g1gvanyjgm/split.scale-100@" + ben + " 2.2412.10.0 by the Microsoft Store",
		"storeapps/Microsoft.VCLibs.140.00:x64#8wekyb3d8bbwe 14.0.33519.0 by the Microsoft Store",
		"storeapps/Microsoft.VCLibs.140.00:x86#8wekyb3d8bbwe 14.0.33519.0 by the Microsoft Store",
		"storeapps/Microsoft.WindowsCalculator:x64#8wekyb3d8bbwe 11.2405.2.0 by the Microsoft Store",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := p.Apply(t.Context(), provider.Request{}); !errors.Is(err, provider.ErrRefused) {
		t.Error(err)
	}

	m.shut = `HKU\` + ben + "_Classes"
	p = &Packages{m}
	offer, err := p.Available(t.Context())
	if items, again := p.Installed(t.Context()); err != nil || again != nil || len(items) != 3 || len(offer.Notes) != 1 || !strings.Contains(offer.Notes[0], ben) {
		t.Errorf("where one shuts others out: %d items, %v, %q", len(items), err, offer.Notes)
	}
}

func TestThereAreNoneElsewhere(t *testing.T) {
	h, err := providertest.New(strings.NewReader(""), fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []provider.Host{h, recorded(t)} {
		if _, err := Kind().Open(t.Context(), provider.Env{Host: host}); !errors.Is(err, provider.ErrAbsent) {
			t.Error(err)
		}
	}
}
