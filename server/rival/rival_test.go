package rival

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const grace = 75 * time.Second

// server keeps a record as the real one does.
type server struct {
	record Record
	given  int
	now    time.Time
	signs  map[Sign]int
}

func newServer() *server { return &server{now: start, signs: map[Sign]int{}} }

// machine is a machine with a boot and the nonce it kept.
type machine struct{ boot, nonce string }

func (s *server) hear(m *machine) Answer {
	d := Hear(s.record, Claim{m.boot, m.nonce}, s.now, grace)
	s.record = d.Record
	s.signs[d.Sign]++
	if d.Renew {
		s.given++
		s.record = s.record.Give(fmt.Sprintf("n%d", s.given), s.now)
	}
	if d.Answer == Accept && m.boot != "" {
		m.nonce = s.record.Nonce
	}
	return d.Answer
}

// lose is a message whose reply is lost.
func (s *server) lose(m *machine) {
	kept := m.nonce
	s.hear(m)
	m.nonce = kept
}

func (s *server) after(d time.Duration) { s.now = s.now.Add(d) }

func TestARestartIsAcceptedAfterTheGrace(t *testing.T) {
	s, m := newServer(), &machine{boot: "a"}
	s.hear(m)
	s.after(time.Minute)
	m.boot = "b"
	if got := s.hear(m); got != Wait {
		t.Fatalf("at once: %v", got)
	}
	s.after(grace - time.Second)
	if got := s.hear(m); got != Wait {
		t.Fatalf("before the grace is over: %v", got)
	}
	s.after(time.Second)
	if got := s.hear(m); got != Accept || s.signs[Restarted] != 1 || s.signs[Restored] != 0 {
		t.Fatalf("%v, %v", got, s.signs)
	}
}

func TestACopyBesideItsOriginalBecomesANewDevice(t *testing.T) {
	s, original := newServer(), &machine{boot: "a"}
	s.hear(original)
	clone := &machine{"b", original.nonce}
	for range 3 {
		s.after(15 * time.Second)
		if got := s.hear(clone); got == Accept {
			t.Fatal("the copy was taken for the original")
		}
		s.after(15 * time.Second)
		if got := s.hear(original); got != Accept {
			t.Fatalf("the original got %v", got)
		}
	}
	if got := s.hear(clone); got != Become || s.signs[Copied] != 1 {
		t.Fatalf("%v, %v", got, s.signs)
	}
}

// One message that was on its way while its machine restarted makes nobody a copy.
func TestALateMessageMakesNoCopy(t *testing.T) {
	s, m := newServer(), &machine{boot: "a"}
	s.hear(m)
	late := *m
	m.boot = "b"
	s.hear(m)
	s.after(time.Second)
	s.hear(&late)
	for range 20 {
		s.after(15 * time.Second)
		if s.hear(m) == Accept {
			return
		}
	}
	t.Fatal("a machine that restarted was never accepted again")
}

func TestASnapshotWithoutARivalIsReadAnew(t *testing.T) {
	s, m := newServer(), &machine{boot: "a"}
	s.hear(m)
	snapshot := *m
	for range 3 {
		s.after(nonceLife)
		s.hear(m)
	}
	live := snapshot // with its memory: the same boot goes on
	if got := s.hear(&live); got != Accept || s.signs[Restored] != 1 {
		t.Fatalf("%v, %v", got, s.signs)
	}
	s.after(time.Hour)
	cold := machine{"z", snapshot.nonce} // from its disk: another boot
	s.hear(&cold)
	s.after(grace)
	if got := s.hear(&cold); got != Accept || s.signs[Restored] != 2 {
		t.Fatalf("%v, %v", got, s.signs)
	}
}

func TestALostReplyAndADoubledMessageAreNoSign(t *testing.T) {
	s, m := newServer(), &machine{boot: "a"}
	s.lose(m)
	s.hear(m)
	s.after(nonceLife)
	s.lose(m) // the reply had a new nonce
	s.after(time.Minute)
	if got := s.hear(m); got != Accept {
		t.Fatal(got)
	}
	again := *m
	s.hear(&again)
	if s.hear(m) != Accept || s.signs[Restored]+s.signs[Appeared]+s.signs[Copied] != 0 {
		t.Fatal(s.signs)
	}
}

// A server restored from a backup knows an older nonce than the machine has, or none.
func TestAMachineAheadOfTheServerIsNoRival(t *testing.T) {
	s, m := newServer(), &machine{boot: "a"}
	s.hear(m)
	backup := s.record
	s.after(nonceLife)
	s.hear(m)
	s.record = backup
	if got := s.hear(m); got != Accept || s.signs[Appeared]+s.signs[Copied] != 0 {
		t.Fatalf("%v, %v", got, s.signs)
	}
}

func TestWhoNeverTellsItsBootIsAccepted(t *testing.T) {
	s := newServer()
	if s.hear(&machine{}) != Accept {
		t.Fatal("kept out")
	}
	s.hear(&machine{boot: "a"})
	if s.hear(&machine{}) != Wait {
		t.Fatal("one that does not tell is taken for the one that did")
	}
}

// Of many copies of one image that start at once, exactly one is ever accepted, and all
// others become new devices, whatever the order in which they speak.
func TestOfManyCopiesOneIsOnRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newServer()
		first := &machine{boot: "image"}
		s.hear(first)
		s.after(time.Duration(rapid.IntRange(0, 3600).Draw(t, "age")) * time.Second)
		n := rapid.IntRange(2, 20).Draw(t, "copies")
		copies := make([]*machine, n)
		left := map[int]bool{}
		for i := range copies {
			copies[i] = &machine{fmt.Sprintf("boot%d", i), first.nonce}
			left[i] = true
		}
		accepted := map[int]bool{}
		for range 100 { // rounds in which each speaks once, in an order of its own
			s.after(15 * time.Second)
			for _, i := range rapid.Permutation(keys(n)).Draw(t, "order") {
				if !left[i] {
					continue
				}
				switch s.hear(copies[i]) {
				case Accept:
					accepted[i] = true
				case Become:
					delete(left, i)
				}
			}
			if len(left) == 1 && len(accepted) == 1 {
				break
			}
		}
		if len(accepted) != 1 || len(left) != 1 {
			t.Fatalf("%d were accepted and %d are left of %d", len(accepted), len(left), n)
		}
		for i := range left {
			if !accepted[i] {
				t.Fatal("the one that was accepted became a new device")
			}
		}
	})
}

func keys(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// While two machines live and speak at least once in a grace, never are both accepted.
func TestNeverAreTwoLivingMachinesAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, a := newServer(), &machine{boot: "a"}
		s.hear(a)
		b := &machine{"b", a.nonce}
		silent := time.Duration(0) // the original, which speaks once in each grace
		for range rapid.IntRange(1, 60).Draw(t, "messages") {
			wait := time.Duration(rapid.IntRange(0, int(grace/time.Second)-1).Draw(t, "wait")) * time.Second
			if silent+wait >= grace {
				s.hear(a)
				silent = 0
			}
			s.after(wait)
			silent += wait
			if rapid.Bool().Draw(t, "copy") {
				if s.hear(b) == Accept {
					t.Fatal("the copy was accepted beside its original")
				}
				continue
			}
			silent = 0
			if s.hear(a) != Accept {
				t.Fatal("the original was kept out")
			}
		}
	})
}
