package access

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// throttle counts failed attempts. A few per account and address, more per address (many
// people behind one router) and per account (guesses spread over many addresses), each
// within a sliding quarter of an hour. It lives in memory: a restart forgives.
type throttle struct {
	mu   sync.Mutex
	fail map[string][]time.Time
}

const (
	throttleWindow   = 15 * time.Minute
	throttleBoth     = 5
	throttleAddress  = 40
	throttleAccount  = 60
	throttleCodes    = 5      // wrong codes of one account after its right password, from anywhere
	throttleMostKeys = 20_000 // then the oldest go: memory is bounded whatever comes in
)

func newThrottle() *throttle { return &throttle{fail: map[string][]time.Time{}} }

// attempt counts one attempt by an account from an address, as failed until undone, and
// reports how long it must wait, 0 when it may go on. Counting first means that many
// attempts at once are no way around.
func (t *throttle) attempt(account, address string, now time.Time) time.Duration {
	return t.count(throttleKeys(account, address), now)
}

// code counts a code that a person's account is tried with, from wherever. Only who knows
// the password gets here, so nobody else can make its owner wait.
func (t *throttle) code(person string, now time.Time) time.Duration {
	return t.count(map[string]int{"code " + person: throttleCodes}, now)
}

// codePassed forgets the codes of a person whose code was right.
func (t *throttle) codePassed(person string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.fail, "code "+person)
}

// count counts an attempt under several keys, each with the most there may be.
func (t *throttle) count(keys map[string]int, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.fail) > throttleMostKeys {
		t.forget(now)
	}
	var wait time.Duration
	for key, most := range keys {
		recent := since(t.fail[key], now.Add(-throttleWindow))
		if len(recent) >= most {
			wait = max(wait, recent[len(recent)-most].Add(throttleWindow).Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for key := range keys {
		t.fail[key] = append(since(t.fail[key], now.Add(-throttleWindow)), now)
	}
	return 0
}

// undo takes the last attempt back: it was not a guess.
func (t *throttle) undo(account, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range throttleKeys(account, address) {
		if n := len(t.fail[key]); n > 0 {
			t.fail[key] = t.fail[key][:n-1]
		}
	}
}

// passed forgets the failures of an account at an address: its owner got in.
func (t *throttle) passed(account, address string) {
	t.undo(account, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.fail, "both "+account+" "+address)
}

// forget drops what is over. When that is not enough, half of the keys go, those with the
// fewest attempts first: a flood of made-up accounts does not hide who is being guessed.
func (t *throttle) forget(now time.Time) {
	for key, times := range t.fail {
		if len(since(times, now.Add(-throttleWindow))) == 0 {
			delete(t.fail, key)
		}
	}
	if len(t.fail) <= throttleMostKeys {
		return
	}
	keys := slices.Collect(maps.Keys(t.fail))
	slices.SortFunc(keys, func(a, b string) int { return len(t.fail[a]) - len(t.fail[b]) })
	for _, key := range keys[:len(keys)/2] {
		delete(t.fail, key)
	}
}

func throttleKeys(account, address string) map[string]int {
	return map[string]int{
		"both " + account + " " + address: throttleBoth,
		"address " + address:              throttleAddress,
		"account " + account:              throttleAccount,
	}
}

// since keeps the times after a moment; times are in order.
func since(times []time.Time, from time.Time) []time.Time {
	for len(times) > 0 && !times[0].After(from) {
		times = times[1:]
	}
	return times
}
