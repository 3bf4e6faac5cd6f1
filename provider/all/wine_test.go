//go:build linux

package all_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"patchbay/test/bed"
)

// What updates itself on a Windows is seen by the agent there, and is whose it is.
func TestWindowsShowsWhatUpdatesItself(t *testing.T) {
	t.Parallel()
	w := bed.NewWindows(t, bed.WindowsOptions{})
	const sid, id = "S-1-5-21-7-7-7-1001", "cfhdojbkjhnklbpkdaibdccddilifddb"
	w.Import(t, "Windows Registry Editor Version 5.00\r\n\r\n"+
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\"+sid+"]\r\n\"ProfileImagePath\"=\"C:\\\\users\\\\anna\"\r\n\r\n"+
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Appx\\AppxAllUserStore\\Applications\\Microsoft.WindowsCalculator_11.2405.2.0_x64__8wekyb3d8bbwe]\r\n\r\n"+
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Google\\Chrome\\ExtensionInstallForcelist]\r\n\"1\"=\""+id+";https://example.com\"\r\n")
	if err := w.PutFile(`C:\users\anna\AppData\Local\Google\Chrome\User Data\Default\Extensions\`+id+`\4.1.0_0\manifest.json`, `{"name": "Adblock", "version": "4.1.0"}`); err != nil {
		t.Fatal(err)
	}
	if err := w.CopyFile(bed.GoProgram(t, "patchbay/cmd/patchbay-agent"), `C:\bed\patchbay-agent.exe`); err != nil {
		t.Fatal(err)
	}
	r, err := w.Run(t.Context(), `C:\bed\patchbay-agent.exe`, "audit", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		SelfUpdating []struct{ Provider, Name, Version, Updater string } `json:"self_updating"`
		Notes        []string
	}
	if err := json.Unmarshal([]byte(r.Stdout), &report); err != nil {
		t.Fatal(err, r.Stdout, r.Stderr)
	}
	var got []string
	for _, p := range report.SelfUpdating {
		got = append(got, fmt.Sprint(p.Provider, " ", p.Name, " ", p.Version, " by ", p.Updater))
	}
	slices.Sort(got)
	want := []string{"extensions Adblock 4.1.0 by Google Chrome", "storeapps Microsoft.WindowsCalculator 11.2405.2.0 by the Microsoft Store"}
	if !slices.Equal(got, want) || !strings.Contains(strings.Join(report.Notes, " "), "A policy of this machine puts extensions into Google Chrome: "+id) {
		t.Errorf("it shows %q, notes %q", got, report.Notes)
	}
}
