package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"patchbay/wire"
	"patchbay/wire/trust"
)

const secret = "twelve dice in a row"

// offline is a person's machine without a network: a folder, in which commands are run.
type offline struct {
	t   *testing.T
	dir string
	now time.Time
}

func newOffline(t *testing.T) *offline {
	t.Chdir(t.TempDir())
	home(t)
	t.Setenv("PATCHBAY_KEY", "")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	o := &offline{t: t, dir: dir, now: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	o.write("pass", secret+"\n")
	return o
}

func (o *offline) write(file, text string) {
	o.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *offline) read(file string) string {
	o.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(data)
}

// try runs a command line, typing the input.
func (o *offline) try(input, line string, more ...string) (string, error) {
	o.t.Helper()
	var out bytes.Buffer
	all := struct {
		Commands
		Globals
	}{Globals: Globals{Out: &out, In: strings.NewReader(input), Now: func() time.Time { return o.now }, Work: 4}}
	parser, err := kong.New(&all, kong.Name("patchbay"), kong.BindTo(o.t.Context(), (*context.Context)(nil)), kong.Bind(&all.Globals))
	if err != nil {
		o.t.Fatal(err)
	}
	command, err := parser.Parse(append(strings.Fields(line), more...))
	if err != nil {
		return "", err
	}
	err = command.Run()
	return out.String(), err
}

// do runs a command line that must succeed, with the passphrase from its file.
func (o *offline) do(line string, more ...string) string {
	o.t.Helper()
	for _, with := range []string{"key init", "key new", "key approver", "sign"} {
		if strings.HasPrefix(line, with) {
			line += " --passphrase-file pass"
		}
	}
	if strings.HasPrefix(line, "sign ") {
		line += " --yes"
	}
	out, err := o.try("", line, more...)
	if err != nil {
		o.t.Fatalf("%s: %v", line, err)
	}
	return out
}

func (o *offline) envelope(file string) *wire.Envelope {
	o.t.Helper()
	var e wire.Envelope
	if err := json.Unmarshal([]byte(o.read(file)), &e); err != nil {
		o.t.Fatal(err)
	}
	return &e
}

// takes gives the state of a device after a document that it must take.
func (o *offline) takes(s trust.State, file string) trust.State {
	o.t.Helper()
	next, err := s.Take(o.envelope(file))
	if err != nil {
		o.t.Fatalf("no device takes %s: %v", file, err)
	}
	return next
}

func TestFromTheFirstKeyToLimitsThatDevicesTake(t *testing.T) {
	o := newOffline(t)
	o.write("mia.pub", o.do("key approver mia.key", "--name=Mia Lang"))
	o.write("server.pub", o.do("key new server.key --name server"))
	out := o.do("key init keys --approver mia.pub --server-key server.pub")
	if strings.Contains(out, "No device would take it") || !strings.Contains(out, `"Mia Lang"`) {
		t.Error(out)
	}
	device := o.takes(trust.State{}, "keys/root-v1.json")

	o.do("limits draft limits-v1.json --root keys/root-v1.json --add-source apt:Debian --devices-per-hour 50 --fleet 20000 --approvals 1 --forced 1")
	if _, err := device.Take(o.envelope("limits-v1.json")); !errors.Is(err, wire.ErrSignature) {
		t.Errorf("a draft: %v", err)
	}
	out = o.do("sign limits-v1.json --root keys/root-v1.json --with keys/publisher.key")
	if !strings.Contains(out, "Up to 50 of 20000 devices begin in an hour.") || !strings.Contains(out, "1 of 1, 1 needed") || !strings.Contains(out, "nothing is missing. patchbay trust publish limits-v1.json") {
		t.Error(out)
	}
	device = o.takes(device, "limits-v1.json")

	o.write("tom.pub", o.do("key approver tom.key --name Tom"))
	o.do("root draft root-v2.json --from keys/root-v1.json --add-approver tom.pub --limits 1")
	out = o.do("sign root-v2.json --previous keys/root-v1.json --with keys/root-1.key")
	if !strings.Contains(out, "Next: 1 more of the root keys") {
		t.Error(out)
	}
	if _, err := device.Take(o.envelope("root-v2.json")); !errors.Is(err, wire.ErrSignature) {
		t.Errorf("with one signature of two: %v", err)
	}
	o.do("sign root-v2.json --previous keys/root-v1.json --with keys/root-2.key")
	device = o.takes(device, "root-v2.json")

	o.do("limits draft limits-v2.json --from limits-v1.json --root root-v2.json --devices-per-hour 100 --approvals 2 --add-source dnf:Fedora --remove-source apt:Debian")
	out = o.do("sign limits-v2.json --root root-v2.json --previous limits-v1.json --with keys/publisher.key")
	if !strings.Contains(out, "devices that begin in an hour: 100, before 50") {
		t.Error(out)
	}
	if device = o.takes(device, "limits-v2.json"); device.Limits.Fleet != 20000 || device.Limits.Root != 2 || len(device.Limits.Sources) != 1 {
		t.Errorf("%+v", device.Limits)
	}

	o.approval()
	for _, who := range []string{"mia", "tom"} {
		o.do("sign approval.json --root root-v2.json --with " + who + ".key")
	}
	e, a := o.envelope("approval.json"), wire.Approval{}
	if err := e.OpenBy(wire.ApprovalDocument, &a, device.Root.Approver); err != nil || len(e.Signatures) != 2 {
		t.Errorf("%v, %d signatures", err, len(e.Signatures))
	}
}

// approval writes what patchbay trust draft writes.
func (o *offline) approval() {
	o.t.Helper()
	e, err := wire.Draft(wire.ApprovalDocument, wire.Approval{ID: "apv_1", Root: 2, IssuedAt: o.now, Expires: o.now.Add(24 * time.Hour),
		Agents: []string{"p256:" + strings.Repeat("ab", 16)}, Updates: []wire.ApprovedUpdate{{Provider: "apt", Name: "lib", To: "1.1"}}})
	if err != nil {
		o.t.Fatal(err)
	}
	if err := writeDocument("approval.json", e, writeNew); err != nil {
		o.t.Fatal(err)
	}
}

func TestTwoOfThreeReplaceALostRootKey(t *testing.T) {
	o := newOffline(t)
	o.do("key init keys --root-keys 3")
	device := o.takes(trust.State{}, "keys/root-v1.json")
	lost := strings.Fields(o.do("key show keys/root-3.key"))[1]
	o.write("new.pub", o.do("key new new.key --name root-4"))
	o.do("root draft root-v2.json --from keys/root-v1.json --remove-root " + lost + " --add-root new.pub")
	for _, key := range []string{"new.key", "keys/root-1.key"} { // two of the new root, one of the old
		o.do("sign root-v2.json --previous keys/root-v1.json --with " + key)
		if _, err := device.Take(o.envelope("root-v2.json")); !errors.Is(err, wire.ErrSignature) {
			t.Errorf("after %s: %v", key, err)
		}
	}
	o.do("sign root-v2.json --previous keys/root-v1.json --with keys/root-2.key")
	device = o.takes(device, "root-v2.json")

	// Who found the lost key, with another one, is not enough any more.
	o.do("root draft root-v3.json --from keys/root-v1.json --root-threshold 1")
	forged := wire.Root{}
	if err := json.Unmarshal(o.envelope("root-v3.json").Payload, &forged); err != nil {
		t.Fatal(err)
	}
	forged.Version = 3
	e, err := wire.Draft(wire.RootDocument, forged)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeDocument("root-v3.json", e, replaceFile); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"keys/root-3.key", "keys/root-1.key"} {
		o.do("sign root-v3.json --previous keys/root-v1.json --with " + key)
	}
	if _, err := device.Take(o.envelope("root-v3.json")); !errors.Is(err, wire.ErrSignature) {
		t.Errorf("the old keys alone: %v", err)
	}
}

func TestSigningAsksAndRefuses(t *testing.T) {
	o := newOffline(t)
	o.do("key init keys")
	o.do("key new other.key --name other")
	o.do("limits draft l.json --root keys/root-v1.json --add-source apt:Debian")
	before := o.read("l.json")
	for name, c := range map[string]struct{ input, line, says string }{
		"no answer":          {"", "sign l.json --root keys/root-v1.json --with keys/publisher.key", "reading the answer"},
		"another answer":     {"y\n", "sign l.json --root keys/root-v1.json --with keys/publisher.key", "nothing was signed"},
		"a wrong passphrase": {"yes\nnot the passphrase\n", "sign l.json --root keys/root-v1.json --with keys/publisher.key", "is not that of the key"},
		"a key of no role":   {"yes\n" + secret + "\n", "sign l.json --root keys/root-v1.json --with other.key", "has no role here"},
		"a root key":         {"yes\n" + secret + "\n", "sign l.json --root keys/root-v1.json --with keys/root-1.key", "has no role here"},
		"a draft as root":    {"yes\n", "sign l.json --root l.json --with keys/publisher.key", "is no root"},
	} {
		if _, err := o.try(c.input, c.line); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if o.read("l.json") != before {
			t.Fatalf("%s: the document is another now", name)
		}
	}
	t.Setenv("PATCHBAY_KEY", "pbk_api") // of the environment: no key file
	if out, err := o.try("", "sign l.json --root keys/root-v1.json"); err != nil || !strings.Contains(out, "Only shown, not signed") {
		t.Errorf("%s, %v", out, err)
	}
	t.Setenv("PATCHBAY_KEY", "")
	out, err := o.try("yes\n"+secret+"\n", "sign l.json --root keys/root-v1.json --with keys/publisher.key")
	if err != nil || strings.Contains(out, secret) || !strings.Contains(out, "is one of the publisher keys of root 1") {
		t.Errorf("%s, %v", out, err)
	}
	if e := o.envelope("l.json"); string(e.Payload) == "" || len(e.Signatures) != 1 {
		t.Errorf("%+v", e)
	}
}

func TestKeysAreNeverOverwrittenNorReadByOthers(t *testing.T) {
	o := newOffline(t)
	o.do("key new a.key --name a")
	text := o.read("a.key")
	if info, err := os.Stat("a.key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := o.try("", "key new a.key --name b --passphrase-file pass"); err == nil || o.read("a.key") != text {
		t.Errorf("it is overwritten, %v", err)
	}
	if err := os.Symlink("nowhere", "link.key"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.try("", "key new link.key --name b --passphrase-file pass"); err == nil {
		t.Error("it is written through a link")
	}
	o.write("x.json", `{}`)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666} {
		for _, file := range []string{"a.key", "pass"} {
			if err := os.Chmod(file, mode); err != nil {
				t.Fatal(err)
			}
			if _, err := readPrivate(file); err == nil || !strings.Contains(err.Error(), "chmod 600 "+file) {
				t.Errorf("%s with %v: %v", file, mode, err)
			}
			if err := os.Chmod(file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := o.try("", "key init .  --passphrase-file pass"); err == nil {
		t.Error("keys are made in a folder that is there")
	}
}

func TestNewPassphrasesAreAskedForTwice(t *testing.T) {
	o := newOffline(t)
	for name, input := range map[string]string{"short": "short\nshort\n", "not the same": secret + "\n" + secret + "!\n", "none": ""} {
		if _, err := o.try(input, "key new a.key --name a"); err == nil {
			t.Errorf("%s: it is taken", name)
		}
		if _, err := os.Stat("a.key"); err == nil {
			t.Fatalf("%s: a key was written", name)
		}
	}
	if _, err := o.try("short\nshort\n", "key init keys"); err == nil {
		t.Error("keys are made with a short passphrase")
	}
	if _, err := os.Stat("keys"); err == nil {
		t.Error("a folder without a key is left, in whose place none is made")
	}
	out, err := o.try(secret+"\n"+secret+"\n", "key new a.key --name a")
	if err != nil || !strings.HasPrefix(out, "patchbay-key ed25519:") {
		t.Errorf("%q, %v", out, err)
	}
	if shown := o.do("key show a.key"); shown != out {
		t.Errorf("%q, made was %q", shown, out)
	}
}

func TestNothingIsLeftWhereADocumentCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := replaceFile(filepath.Join(dir, "gone", "x"), []byte("x")); err == nil {
		t.Error("it is written into a folder that is not there")
	}
	if err := os.Mkdir(filepath.Join(dir, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(filepath.Join(dir, "x"), []byte("x")); err == nil {
		t.Error("it is written in place of a folder")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v left, %v", left, err)
	}
}
