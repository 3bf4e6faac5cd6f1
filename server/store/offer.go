package store

import (
	"context"
	"encoding/json"
	"time"

	"patchbay/patch"
)

// OfferMemory is how long Offers tells of versions that are no longer on offer.
const OfferMemory = 30 * 24 * time.Hour

// Offers gives the versions on offer for devices, and those that went within OfferMemory, by
// device and item.
func (c *Customer) Offers(ctx context.Context, now time.Time, devices ...string) ([]Offer, error) {
	return reading(ctx, c.handle, "offers", func(t *tx) ([]Offer, error) {
		q := newFilter(t)
		q.in("device", devices)
		q.add("(gone_at IS NULL OR gone_at > %s)", now.Add(-OfferMemory).UnixMilli())
		return list(ctx, t, func(r scanner) (o Offer, err error) {
			err = r.Scan(&o.Device, decoded{&o.Update}, at(&o.FirstSeen), maybe(&o.GoneAt))
			return o, err
		}, `SELECT device, body, first_seen, gone_at FROM offer`+q.String()+`
			ORDER BY device, name, architecture, provider, instance, scope, first_seen, version`, q.args...)
	})
}

// offerKey names a version on offer for an item.
type offerKey struct {
	patch.Key
	version string
}

// heldOffer is what is stored of an offer.
type heldOffer struct {
	key  offerKey
	body string
	gone bool
}

// offered compares what a provider has on offer now with what is stored: a new version
// begins, one that is back goes on as before, one that is missing is gone.
func (t *tx) offered(ctx context.Context, now time.Time, device, provider string, updates []patch.Update) error {
	stored, err := list(ctx, t, func(r scanner) (o heldOffer, err error) {
		o.key.Provider = provider
		err = r.Scan(&o.key.Scope, &o.key.Name, &o.key.Architecture, &o.key.Instance, &o.key.version, &o.body, &o.gone)
		return o, err
	}, `SELECT scope, name, architecture, instance, version, body, gone_at IS NOT NULL FROM offer
		WHERE customer = $1 AND device = $2 AND provider = $3`, t.customer, device, provider)
	if err != nil {
		return err
	}
	held := make(map[offerKey]heldOffer, len(stored))
	for _, o := range stored {
		held[o.key] = o
	}
	current := make(map[offerKey]bool, len(updates))
	for _, u := range updates {
		key := cleanKey(u)
		if current[key] {
			continue
		}
		current[key] = true
		body, err := json.Marshal(u)
		if err != nil {
			return err
		}
		if o, ok := held[key]; ok && o.body == string(body) && !o.gone {
			continue
		}
		if err := t.offer(ctx, now, device, key, string(body)); err != nil {
			return err
		}
	}
	for _, o := range stored {
		if !o.gone && !current[o.key] {
			if err := t.gone(ctx, now, device, o.key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) offer(ctx context.Context, now time.Time, device string, k offerKey, body string) error {
	_, err := t.exec(ctx, `INSERT INTO offer (customer, device, provider, scope, name, architecture, instance, version, body, first_seen, gone_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL)
		ON CONFLICT (customer, device, provider, scope, name, architecture, instance, version)
		DO UPDATE SET body = $9, gone_at = NULL`,
		t.customer, device, k.Provider, k.Scope, k.Name, k.Architecture, k.Instance, k.version, body, millis(now))
	return err
}

func (t *tx) gone(ctx context.Context, now time.Time, device string, k offerKey) error {
	_, err := t.exec(ctx, `UPDATE offer SET gone_at = $9 WHERE customer = $1 AND device = $2 AND provider = $3 AND scope = $4
		AND name = $5 AND architecture = $6 AND instance = $7 AND version = $8`,
		t.customer, device, k.Provider, k.Scope, k.Name, k.Architecture, k.Instance, k.version, millis(now))
	return err
}

// cleanKey is the key as the database will give it back.
func cleanKey(u patch.Update) offerKey {
	return offerKey{patch.Key{Provider: cleanText(u.Provider), Scope: cleanText(u.Scope), Name: cleanText(u.Name),
		Architecture: cleanText(u.Architecture), Instance: cleanText(u.Instance)}, cleanText(u.Available)}
}
