// Package victim has a test's own program do something in a process of its own, and kills
// that at a moment it comes by: with SIGKILL, so that nothing of it is tidied up.
//
// A test that is the victim skips unless it was started by [Kill], reads what it is to do
// with [Order], and tells each moment to the function it got.
package victim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// variable tells the process what to do, and until which moment.
const variable = "PATCHBAY_TEST_VICTIM"

type order struct {
	Until string
	What  json.RawMessage
}

const at = "at: "

// Kill starts the test of this program with that name, gives it what to do, and kills it
// where it says that it is at the moment until; "" lets it end. It gives the moments that it
// came by, and fails t when the process was not killed there.
func Kill(t testing.TB, test string, what any, until string) (passed []string) {
	t.Helper()
	text, err := json.Marshal(what)
	if err == nil {
		text, err = json.Marshal(order{until, text})
	}
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	process.Env = append(os.Environ(), variable+"="+string(text))
	out, err := process.StdoutPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var other []string
	for said := bufio.NewScanner(out); said.Scan(); {
		moment, is := strings.CutPrefix(said.Text(), at)
		if !is {
			other = append(other, said.Text())
			continue
		}
		if passed = append(passed, moment); moment == until {
			_ = process.Process.Kill() // it waits for that
		}
	}
	err = process.Wait()
	switch {
	case until == "" && err != nil:
		t.Fatalf("left alone it failed: %v: %q", err, other)
	case until != "" && (err == nil || !slices.Contains(passed, until)):
		t.Fatalf("it came by %q and ended with %v instead of being killed at %q: %q", passed, err, until, other)
	}
	return passed
}

// Order reads what the victim is to do into what, and gives the function that is told each
// moment. It skips a test that is not the victim.
func Order(t testing.TB, what any) (moment func(string)) {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		t.Skip("runs only as a part of other tests")
	}
	var o order
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = json.Unmarshal(o.What, what)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(moment string) {
		fmt.Println(at + moment)
		if moment == o.Until {
			select {} // until it is killed
		}
	}
}
