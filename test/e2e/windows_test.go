package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/view"
	"patchbay/test/bed"
	"patchbay/wire"
)

// Where the agent is on a Windows.
const (
	windowsState   = `C:\ProgramData\patchbay-agent`
	windowsFolder  = `C:\Program Files\Patchbay`
	windowsService = `HKLM\SYSTEM\CurrentControlSet\Services\patchbay-agent`
)

// newToken is a token's secret with the address it is for.
func (in *installation) newToken(site string) (server, token string) {
	in.t.Helper()
	made := call[view.NewToken](in, "POST", "/sites/"+site+"/tokens", object{"mode": "manage", "uses": 1, "hours": 1})
	words := strings.Fields(made.SecretLine)
	for i, w := range words[:len(words)-1] {
		switch w {
		case "--server":
			server = words[i+1]
		case "--token":
			token = words[i+1]
		}
	}
	if server == "" || token == "" {
		in.t.Fatal("the line to copy has no server or no token")
	}
	return server, token
}

// windowsDevice is the only device of a site, once it is listed.
func (in *installation) windowsDevice(site string) view.Device {
	in.t.Helper()
	var found view.Device
	in.until("its device is listed with its facts", func() bool {
		for _, d := range call[view.Page[view.Device]](in, "GET", "/devices?site="+site+"&limit=10", nil).Items {
			found = d
		}
		return found.OSName != "" && found.ScannedAt != nil
	})
	return found
}

func (in *installation) until(what string, holds func() bool) {
	in.t.Helper()
	e := &endpoint{Device: &bed.Device{Name: "windows"}, in: in}
	e.waitFor("until "+what, holds)
}

// A Windows is let in, checks in as a service by mutual TLS, comes back after a restart as
// another boot of the same machine, and is left without a trace.
func TestWindowsAgentChecksInAsAService(t *testing.T) {
	t.Parallel()
	in := install(t)
	w := bed.NewWindows(t, bed.WindowsOptions{Name: "ada-pc"})
	program := bed.GoProgram(t, "patchbay/cmd/patchbay-agent")
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("FIGURE agent_program_for_Windows %.1f MB - - - <=15\n", float64(info.Size())/1e6)
	if info.Size() > 15e6 {
		t.Errorf("the agent for Windows has %d bytes", info.Size())
	}
	if err := w.CopyFile(program, `C:\bed\patchbay-agent.exe`); err != nil {
		t.Fatal(err)
	}
	const agent = `C:\bed\patchbay-agent.exe`
	if err := w.CopyFile((bed.Installer{Kind: bed.MSI, Version: "1.1.0"}).Build(t), `C:\bed\program.msi`); err != nil {
		t.Fatal(err)
	}
	w.Must(t, "msiexec", "/i", `C:\bed\program.msi`, "/qn")
	site := in.site(in.customer("Acme"), "HQ", byHand(always()))
	before := w.Files(t)

	var sections []struct{ Name, State string }
	decode(t, w.Must(t, agent, "scan"), &sections)
	if len(sections) == 0 || sections[0].State != "ok" {
		t.Errorf("the scan found %+v", sections)
	}
	if w.Exists(windowsState) {
		t.Error("a scan made a state folder")
	}
	server, token := in.newToken(site)
	if said := w.Must(t, agent, "enroll", "--server", server, "--token", token); !strings.Contains(said, "in manage mode") {
		t.Errorf("enrolling said %s", said)
	}
	w.Must(t, agent, "install")
	device := in.windowsDevice(site)
	if device.Name != "ada-pc" && device.Name != "ADA-PC" || !strings.HasPrefix(device.OSName, "Microsoft Windows 10") || !strings.HasPrefix(device.Kernel, "10.0.18362") ||
		device.Architecture != "amd64" || device.Agent.Mode != "manage" || device.Restart.Machine {
		t.Errorf("the server lists %+v", device)
	}
	command, err := w.Value(t.Context(), windowsService, "ImagePath")
	if err != nil || command != `"`+windowsFolder+`\patchbay-agent.exe" --state `+windowsState+` run --service` {
		t.Errorf("the service is %s, %v", command, err)
	}
	if said := w.Must(t, agent, "status"); !strings.Contains(said, "Acme") {
		t.Errorf("the status is %s", said)
	}

	items := call[view.Page[patch.Item]](in, "GET", "/devices/"+device.ID+"/items?limit=100", nil).Items
	if !slices.ContainsFunc(items, func(i patch.Item) bool { return i.Name == "Bed MSI" && i.Version == "1.1.0" }) {
		t.Errorf("the program that is installed is not among %+v", items)
	}

	boot := in.windowsBoot(w)
	if err := w.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.until("it runs again after the restart", func() bool { // the server believes it a minute later, as any restarted machine
		log, err := w.ReadFile(windowsState + `\agent.log`)
		return err == nil && strings.Count(string(log), "msg=running") == 2 && len(w.Running("patchbay-agent.exe")) == 1
	})
	if again := in.windowsBoot(w); again == boot || again == "" || boot == "" {
		t.Errorf("boot %q is followed by %q", boot, again)
	}

	w.Must(t, agent, "uninstall")
	if _, err := w.Registry(t.Context(), windowsService); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the service is left: %v", err)
	}
	if left := news(before, w.Files(t)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// windowsBoot is the boot as a scan names it.
func (in *installation) windowsBoot(w *bed.WindowsDevice) string {
	in.t.Helper()
	var sections []struct {
		Name string
		Body json.RawMessage
	}
	decode(in.t, w.Must(in.t, `C:\bed\patchbay-agent.exe`, "scan"), &sections)
	for _, s := range sections {
		if s.Name == "host" {
			var facts wire.Facts
			decode(in.t, string(s.Body), &facts)
			return facts.BootID
		}
	}
	return ""
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %.500s", err, text)
	}
}

// news is what is in the second list and not in the first.
func news(before, after []string) []string {
	return slices.DeleteFunc(slices.Clone(after), func(name string) bool { return slices.Contains(before, name) })
}
