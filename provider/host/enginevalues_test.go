package host

import (
	"math"
	"strings"
	"testing"
	"time"

	"patchbay/provider"
)

const someID = "12345678-9abc-def0-1234-56789abcdef0"

func TestGUID(t *testing.T) {
	for text, want := range map[string]string{
		someID: someID, strings.ToUpper(someID): someID, "{" + someID + "}": someID,
		"": "", someID + "0": "", someID[1:]: "", "{" + someID: someID, someID + "}": "", strings.Replace(someID, "-", "0", 1): "",
		"g" + someID[1:]: "", "' or ''='" + someID[9:]: "", "１" + someID[3:]: "",
	} {
		if got := guid(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestEngineDate(t *testing.T) {
	for days, want := range map[float64]string{
		45566.5: "2024-10-01T12:00:00Z", 29221: "1980-01-01T00:00:00Z", 45566.999999: "2024-10-02T00:00:00Z",
		0: "", -1: "", 29220.9: "", 2958466: "", 1e300: "", math.Inf(1): "", math.Inf(-1): "",
	} {
		got := engineDate(days)
		if want == "" && !got.IsZero() || want != "" && got.Format(time.RFC3339) != want {
			t.Errorf("%v: %s", days, got)
		}
	}
	if !engineDate(math.NaN()).IsZero() {
		t.Error("what is no number is a date")
	}
}

func TestEngineSize(t *testing.T) {
	for _, c := range []struct {
		scale, sign byte
		high        uint32
		low         uint64
		want        int64
	}{
		{0, 0, 0, 734003200, 734003200}, {2, 0, 0, 12345, 123}, {28, 0, 0, 12345, 0}, {29, 0, 0, 1, 0}, {0, 0x80, 0, 5, 0}, {0, 0, 1, 5, 0},
		{0, 0, 0, math.MaxUint64, 0}, {0, 0, 0, math.MaxInt64, math.MaxInt64}, {1, 0, 0, math.MaxUint64, math.MaxUint64 / 10},
	} {
		if got := engineSize(c.scale, c.sign, c.high, c.low); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// Whatever an ID is made of, a criterion is for that revision alone or not made.
func FuzzExactly(f *testing.F) {
	f.Add(someID, 200)
	f.Add(someID+"' or IsInstalled=0 or UpdateID='", 1)
	f.Add("{"+someID+"}", 1)
	f.Add(someID, -1)
	f.Fuzz(func(t *testing.T, id string, revision int) {
		criteria, err := exactly([]provider.EngineID{{Update: id, Revision: revision}, {Update: someID, Revision: 7}})
		if err != nil {
			if guid(id) == id && id != "" && revision >= 0 {
				t.Errorf("%q %d was refused: %v", id, revision, err)
			}
			return
		}
		if strings.Count(criteria, "'") != 4 || strings.Count(criteria, " or ") != 1 || !strings.HasPrefix(criteria, "UpdateID='"+guid(id)+"' and ") {
			t.Errorf("%q %d gave %s", id, revision, criteria)
		}
	})
}

// Whatever the engine tells, what is taken from it is within bounds.
func FuzzEngineValues(f *testing.F) {
	f.Add(45566.5, byte(0), byte(0), uint32(0), uint64(5))
	f.Add(math.NaN(), byte(255), byte(1), uint32(7), uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, days float64, scale, sign byte, high uint32, low uint64) {
		if at := engineDate(days); !at.IsZero() && (at.Year() < 1980 || at.Year() > 10000 || at.Location() != time.UTC) {
			t.Errorf("%v is %s", days, at)
		}
		if n := engineSize(scale, sign, high, low); n < 0 {
			t.Errorf("a size of %d", n)
		}
	})
}

// engineAsked is what a program of the tests was told by the engine, as it writes it.
type engineAsked struct {
	Updates []provider.EngineUpdate
	Events  []provider.EngineEvent
	Results []provider.EngineResult
	State   provider.EngineState

	Error        string
	HResult      uint32
	Busy, Absent bool
}
