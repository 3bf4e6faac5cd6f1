package vercmp_test

import (
	"reflect"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/patch/vercmp"
)

func stream(t *testing.T, in string) []string {
	t.Helper()
	var out strings.Builder
	if err := vercmp.Stream("deb", strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestEveryLineIsAnswered(t *testing.T) {
	long := strings.Repeat("9", 1<<20)
	in := []string{"1\t2", "2\t1", "1\t0:1-0", "no tab", "", "a\tb\tc", "x\t1", "\x00\xff\t\x1b[31m", long + "\t1", "1\t1\r", "1~\t1"}
	want := []string{"-1", "1", "0", "error: ", "error: ", "error: ", "error: ", "error: ", "error: ", "0", "-1"}
	for _, end := range []string{"", "\n"} {
		got := stream(t, strings.Join(in, "\n")+end)
		if len(got) != len(want) {
			t.Fatalf("got %d answers to %d lines: %q", len(got), len(want), got)
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%.40q: got %q, want %q", in[i], got[i], want[i])
			}
		}
	}
}

func TestUnknownSchemeIsRefusedAtOnce(t *testing.T) {
	c := vercmp.Command{Scheme: "stardate"}
	if err := c.Run(strings.NewReader("1\t2\n"), &strings.Builder{}); err == nil {
		t.Error("an unknown scheme was accepted")
	}
}

// TestNamesOfManagers are taken for the schemes that they sort by, also with the ends of lines
// of Windows.
func TestNamesOfManagers(t *testing.T) {
	for manager, pair := range map[string]string{"npm": "1.0.0-rc.1\t1.0.0", "go": "v1.2.3\tv1.10.0", "gem": "1.0.a\t1.0", "composer": "1.0-beta1\t1.0.0", "pip": "1.0.dev1\t1", "dpkg": "1~\t1"} {
		var out strings.Builder
		if err := (&vercmp.Command{Scheme: manager}).Run(strings.NewReader(pair+"\r\n"), &out); err != nil || out.String() != "-1\n" {
			t.Errorf("%s: %q, %v", manager, out.String(), err)
		}
	}
}

// TestHelpNamesEveryScheme: nobody has to guess.
func TestHelpNamesEveryScheme(t *testing.T) {
	field, _ := reflect.TypeOf(vercmp.Command{}).FieldByName("Scheme")
	for _, s := range patch.Schemes() {
		if !strings.Contains(field.Tag.Get("help"), s) {
			t.Errorf("the help does not name %s", s)
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add("deb", "1\t2\n2\t1\n")
	f.Add("winget", "v1.2-rc\tlatest\n\t< 1\n")
	f.Fuzz(func(t *testing.T, scheme, in string) {
		var out strings.Builder
		if err := vercmp.Stream(scheme, strings.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(in, "\n")
		if in != "" && !strings.HasSuffix(in, "\n") {
			lines++
		}
		if got := strings.Count(out.String(), "\n"); got != lines {
			t.Fatalf("%d answers to %d lines", got, lines)
		}
	})
}

func BenchmarkStream(b *testing.B) {
	in := strings.Repeat("1:2.3.4-5+deb12u1\t1:2.3.4-5+deb12u2\n", 1000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if err := vercmp.Stream("deb", strings.NewReader(in), &strings.Builder{}); err != nil {
			b.Fatal(err)
		}
	}
}
