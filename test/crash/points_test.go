package crash

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"testing"
)

// play plays a scene with cuts, one per life of the server, and holds the world to its laws.
// It gives the fates of its lives; the last is that of the one that derives all anew.
func play(t *testing.T, s scene, from beginnings, cuts ...cut) (fates []*fate) {
	w := from.world(t, s.from, cuts...)
	defer os.RemoveAll(w.dir)
	if !s.rest {
		w.begin()
	}
	s.play(w)
	w.settle()
	w.ends()
	if shown := w.shown(); !maps.Equal(shown, s.want) {
		w.fault("it shows %v, want %v", shown, s.want)
	}
	w.rebuilt()
	w.stop()
	if from.pg != nil {
		from.pg.Drop(w.database)
	}
	return w.fates
}

// Wherever a server ends, and wherever the one after it does: what was acknowledged is there,
// and nothing is ordered or done twice.
func TestServerSurvivesEveryCrashPoint(t *testing.T) {
	from := prepared(t, nil)
	var effects, points atomic.Int64
	t.Run("scenes", func(t *testing.T) {
		for name, s := range scenes() {
			if testing.Short() && name != "a person approves" {
				continue
			}
			lives := play(t, s, from)
			lives = lives[:len(lives)-1] // but the one that derives all anew
			for life := range lives {
				begin := 1
				if life == 0 && !s.starts { // that is cut in other scenes
					begin += lives[0].start
				}
				effects.Add(int64(len(lives[life].effects) - begin + 1))
				for _, how := range ways() {
					if testing.Short() && (how == doubled || how == refused) {
						continue
					}
					t.Run(fmt.Sprintf("%s, life %d, %s", name, life+1, how), func(t *testing.T) {
						t.Parallel()
						points.Add(everywhere(t, s, from, make([]cut, life), begin, how))
					})
				}
			}
		}
	})
	fmt.Printf("%d crash points of the server, at %d effects: %d acknowledgements lost, %d commands doubled\n",
		points.Load(), effects.Load(), from.faults.lost.Load(), from.faults.doubled.Load())
	fmt.Printf("FIGURE crash_points_of_the_server %d - lost_or_doubled %d - >=500\n",
		points.Load(), from.faults.lost.Load()+from.faults.doubled.Load())
	least := int64(500)
	if testing.Short() {
		least = 40
	}
	if points.Load() < least {
		t.Errorf("only %d crash points were tried", points.Load())
	}
}

// stride is how many effects lie between those at which a life is cut in one way. Neighbouring
// ways begin at different ones, so that each effect is cut in half of the ways at least.
func stride() int {
	if os.Getenv("PATCHBAY_CRASH_POINTS") == "all" || testing.Short() { // make figures has the time
		return 1
	}
	return 2
}

// everywhere cuts one life of a scene off at its effects from the first in one way; and, where
// it is then gone with nobody having heard of the effect, the life after it too: at its first
// effect, and now and then at one of the others.
func everywhere(t *testing.T, s scene, from beginnings, lives []cut, first int, how way) (points int64) {
	try := func(cuts ...cut) bool {
		cuts = append(slices.Clone(lives), cuts...)
		fates := play(t, s, from, cuts...)
		hit := len(fates) >= len(cuts) && fates[len(cuts)-1].hit
		if hit {
			points++
		}
		return hit
	}
	for first += slices.Index(ways(), how) % stride(); try(cut{first, how}); first += stride() {
		if how != after || testing.Short() {
			continue
		}
		try(cut{first, how}, cut{1, ways()[first%len(ways())]})
		if first%3 == 0 {
			try(cut{first, how}, cut{2 + first%7, ways()[(first/3)%len(ways())]})
		}
	}
	return points
}
