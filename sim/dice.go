package sim

import "math/bits"

// dice is all the chance there is in a simulation: a stream of numbers that depends on its
// seed and on nothing else, neither on the machine nor on the version of a library, so that
// a figure can name its seed. It is SplitMix64.
type dice uint64

// roll begins a stream of its own for one thing, so that no stream depends on how many
// numbers another one drew.
func roll(seed uint64, what string, number int) dice {
	h := uint64(14695981039346656037) // FNV-1a
	add := func(b byte) { h = (h ^ uint64(b)) * 1099511628211 }
	for i := range 8 {
		add(byte(seed >> (8 * i)))
		add(byte(uint64(number) >> (8 * i)))
	}
	for i := range len(what) {
		add(what[i])
	}
	d := dice(h)
	d.next() // two streams that begin close to each other part here
	return d
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a number from 0 to n-1, 0 when there is none.
func (d *dice) below(n int) int {
	hi, _ := bits.Mul64(d.next(), uint64(max(n, 1)))
	return int(hi)
}

// between is a number from low to high, both included.
func (d *dice) between(low, high int) int { return low + d.below(high-low+1) }

// unit is a number from 0 to just below 1.
func (d *dice) unit() float64 { return float64(d.next()>>11) / (1 << 53) }

// hits reports true in that share of all throws.
func (d *dice) hits(share float64) bool { return d.unit() < share }

// order is 0 to n-1 in a random order.
func (d *dice) order(n int) []int {
	all := make([]int, n)
	for i := range all {
		j := d.below(i + 1)
		all[i], all[j] = all[j], i
	}
	return all
}
