package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"patchbay/wire"
)

// epochSetting holds the lowest epoch of orders, for after a restore.
const epochSetting = "orders_epoch"

// NextOrders gives the versions for orders of agents of the customer, whose contents have the
// hashes that wish gives, by agent, from what it reads through the handle; it may be asked
// several times. A version counts up only when the content is another than last time. When an
// agent has seen newer orders than were ever made here, this server was restored from a
// backup, and goes on in an epoch above.
//
// A number is given only while the one before is still what it was when the content was read:
// no two contents get one number, and a higher number never has older content, whichever
// servers ask.
func (c *Customer) NextOrders(ctx context.Context, now time.Time, agents []string,
	wish func(h *Customer, agents []string) (hashes map[string]string, err error)) (map[string]wire.OrdersVersion, error) {
	given := map[string]wire.OrdersVersion{}
	for try := 1; len(agents) > 0; try++ {
		fresh, err := c.fresh(ctx, agents, given, wish)
		if err == nil && len(fresh) > 0 {
			agents, err = c.number(ctx, now, fresh, given)
		} else { // most often nothing changed, and nothing needs to be written
			agents = nil
		}
		if err == nil && len(agents) > 0 && try == numberTries {
			err = errors.New("another server numbers orders for " + agents[0] + " all the time")
		}
		if err != nil {
			return nil, doing("numbering orders", err)
		}
	}
	return given, nil
}

// numberTries is how often a number is tried for that another server takes away.
const numberTries = 10

// numbers are what an agent's next number follows from, and that number.
type numbers struct {
	agent      string
	last, seen wire.OrdersVersion
	lastHash   string // of the content of last
	next       wire.OrdersVersion
	hash       string
}

// fresh finds which agents' orders have new content; what the others have is given.
func (c *Customer) fresh(ctx context.Context, agents []string, given map[string]wire.OrdersVersion,
	wish func(*Customer, []string) (map[string]string, error)) (fresh []numbers, err error) {
	err = c.read(ctx, func(t *tx) error {
		hashes, err := wish(&Customer{t.reading()}, agents)
		if err != nil {
			return err
		}
		all, lowest, err := t.numbers(ctx, agents)
		if err != nil {
			return err
		}
		for _, n := range all {
			if n.hash = hashes[n.agent]; n.hash == n.lastHash && !n.seen.Newer(n.last) && n.last.Epoch >= lowest {
				given[n.agent] = n.last
				continue
			}
			if n.next, err = after(n.last, n.seen, lowest); err != nil {
				return err
			}
			fresh = append(fresh, n)
		}
		return nil
	})
	return fresh, err
}

// numbers reads what the next numbers of agents follow from, and the lowest epoch of all.
func (t *tx) numbers(ctx context.Context, agents []string) (all []numbers, lowest int64, err error) {
	q := newFilter(t)
	q.in("id", agents)
	all, err = list(ctx, t, func(r scanner) (n numbers, err error) {
		err = r.Scan(&n.agent, &n.last.Epoch, &n.last.Version, &n.lastHash, &n.seen.Epoch, &n.seen.Version)
		return n, err
	}, `SELECT id, orders_epoch, orders_version, orders_hash, seen_epoch, seen_version FROM agent`+q.String()+` ORDER BY id`, q.args...)
	if err == nil && len(all) < len(agents) {
		err = missing("agent", strings.Join(agents, ", "))
	}
	if err != nil {
		return nil, 0, err
	}
	lowest, err = t.epoch(ctx)
	return all, lowest, err
}

// number gives the next numbers and says of which agents what they follow from has changed.
func (c *Customer) number(ctx context.Context, now time.Time, fresh []numbers, given map[string]wire.OrdersVersion) (overtaken []string, err error) {
	err = c.record(ctx, now, func(t *tx) error {
		overtaken = nil
		for _, n := range fresh {
			rows, err := t.exec(ctx, `UPDATE agent SET orders_epoch = $3, orders_version = $4, orders_hash = $5 WHERE customer = $1 AND id = $2
				AND orders_epoch = $6 AND orders_version = $7 AND orders_hash = $8 AND seen_epoch = $9 AND seen_version = $10`,
				t.customer, n.agent, n.next.Epoch, n.next.Version, n.hash,
				n.last.Epoch, n.last.Version, n.lastHash, n.seen.Epoch, n.seen.Version)
			if err != nil {
				return err
			}
			if given[n.agent] = n.next; rows == 0 {
				overtaken = append(overtaken, n.agent)
			}
		}
		return nil
	})
	return overtaken, err
}

// after is the next version: above the last one, above all the agent has seen, and not
// below the lowest epoch.
func after(last, seen wire.OrdersVersion, lowest int64) (wire.OrdersVersion, error) {
	const most = 1 << 62 // far from where counting up would turn over
	if seen.Epoch >= most || seen.Version >= most {
		return last, errors.New("the agent claims to have seen orders with a number nobody gives")
	}
	epoch := max(last.Epoch, lowest, 1)
	if seen.Newer(last) {
		epoch = max(epoch, seen.Epoch+1)
	}
	if epoch > last.Epoch {
		return wire.OrdersVersion{Epoch: epoch, Version: 1}, nil
	}
	return wire.OrdersVersion{Epoch: epoch, Version: last.Version + 1}, nil
}

func (t *tx) epoch(ctx context.Context) (int64, error) {
	var text []byte
	err := t.row(ctx, `SELECT value FROM setting WHERE name = $1`, epochSetting).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	var epoch int64
	if _, err := fmt.Sscan(string(text), &epoch); err != nil {
		return 0, fmt.Errorf("the setting %s is not a number: %w", epochSetting, err)
	}
	return epoch, nil
}
