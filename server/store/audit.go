package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mspChain is the chain of the MSP. It stands where a customer's ID does and is none.
const mspChain = "msp"

// note is one act, as a change says it.
type note struct {
	chain   string // "" is the handle's own
	act     string // noun and verb, such as "approval.create"
	object  string // ID of what it is about
	device  string
	payload fields
}

// fields is the payload of an act: what people look for later.
type fields map[string]any

// note remembers an act; it becomes a row of the chain just before the commit, so that the
// chain is locked for a moment only.
func (t *tx) note(n note) {
	if n.chain == "" {
		if n.chain = t.customer; t.msp {
			n.chain = mspChain
		}
	}
	t.notes = append(t.notes, n)
}

// link writes the noted acts as the next links of their chains.
func (t *tx) link(ctx context.Context, now time.Time) error {
	// Chains are always locked in one order.
	slices.SortStableFunc(t.notes, func(a, b note) int { return strings.Compare(a.chain, b.chain) })
	for start := 0; start < len(t.notes); {
		end := start
		for end < len(t.notes) && t.notes[end].chain == t.notes[start].chain {
			end++
		}
		if err := t.extend(ctx, now, t.notes[start:end]); err != nil {
			return fmt.Errorf("writing the audit chain: %w", err)
		}
		start = end
	}
	return nil
}

// extend adds links to one chain. Moving its head first locks the chain until the commit.
func (t *tx) extend(ctx context.Context, now time.Time, notes []note) error {
	chain := notes[0].chain
	var head AuditRow
	err := t.row(ctx, `INSERT INTO chain (customer, seq, hash) VALUES ($1, $2, '')
		ON CONFLICT (customer) DO UPDATE SET seq = chain.seq + $2 RETURNING seq, hash`, chain, len(notes)).Scan(&head.Seq, &head.Hash)
	if err != nil {
		return err
	}
	head.Seq -= int64(len(notes))
	for _, n := range notes {
		payload, err := json.Marshal(n.payload)
		if err != nil {
			return err
		}
		row := AuditRow{Chain: chain, Seq: head.Seq + 1, At: now.UTC().Truncate(time.Millisecond), Actor: cleanText(t.who.ID),
			ActorName: t.who.Name, Act: n.act, Object: cleanText(n.object), Device: cleanText(n.device), Previous: head.Hash,
			PayloadHash: payloadHash(payload)}
		row.Hash = row.link()
		_, err = t.exec(ctx, `INSERT INTO audit (`+auditColumns+`) VALUES (`+marks(1, 12)+`)`,
			row.Chain, row.Seq, row.At.UnixMilli(), row.Actor, row.ActorName, row.Act, row.Object, row.Device,
			string(payload), row.PayloadHash, row.Previous, row.Hash)
		if err != nil {
			return err
		}
		head = row
	}
	_, err = t.exec(ctx, `UPDATE chain SET hash = $2 WHERE customer = $1`, chain, head.Hash)
	return err
}

func payloadHash(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}

// link is the hash of a row: over the hash before it and all that must not change. The
// payload goes in by its hash and the actor's name not at all, so that both can be erased.
func (a AuditRow) link() string {
	h := sha256.New()
	for _, s := range []string{a.Previous, a.Chain, strconv.FormatInt(a.Seq, 10), strconv.FormatInt(a.At.UnixMilli(), 10),
		a.Actor, a.Act, a.Object, a.Device, a.PayloadHash} {
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

const auditColumns = `customer, seq, at, actor, actor_name, act, object, device, payload, payload_hash, previous, hash`

func scanAudit(r scanner) (a AuditRow, err error) {
	var payload sql.NullString
	err = r.Scan(&a.Chain, &a.Seq, at(&a.At), &a.Actor, &a.ActorName, &a.Act, &a.Object, &a.Device,
		&payload, &a.PayloadHash, &a.Previous, &a.Hash)
	if payload.Valid {
		a.Payload = json.RawMessage(payload.String)
	}
	return a, err
}

// AuditFilter says which audit rows; the zero value is all. A page goes on where the one
// before ended: at its last row's time, chain and number.
type AuditFilter struct {
	Chain  string
	Actor  string
	Act    string
	Object string
	Device string
	From   time.Time // inclusive; zero is the beginning
	Until  time.Time // exclusive; zero is the end
	Before *AuditRow // rows that come after this one in the list
	Limit  int       // 0 is all
}

// Audit lists acts, newest first.
func (h handle) Audit(ctx context.Context, f AuditFilter) ([]AuditRow, error) {
	return reading(ctx, h, "the audit chain", func(t *tx) ([]AuditRow, error) {
		q := newFilter(t)
		q.text("customer", f.Chain)
		q.text("actor", f.Actor)
		q.text("act", f.Act)
		q.text("object", f.Object)
		q.text("device", f.Device)
		if !f.From.IsZero() {
			q.add("at >= %s", f.From.UnixMilli())
		}
		if !f.Until.IsZero() {
			q.add("at < %s", f.Until.UnixMilli())
		}
		if f.Before != nil {
			n := len(q.args)
			q.only(fmt.Sprintf("(at, seq, customer) < ($%d, $%d, $%d)", n+1, n+2, n+3))
			q.args = append(q.args, f.Before.At.UnixMilli(), f.Before.Seq, f.Before.Chain)
		}
		return list(ctx, t, scanAudit, `SELECT `+auditColumns+` FROM audit`+q.String()+
			` ORDER BY at DESC, seq DESC, customer DESC`+limit(f.Limit), q.args...)
	})
}

// ErasePayload forgets what an act was about in detail, and whose name stood there. The
// link stays whole, and that something was erased is itself an act.
func (m *MSP) ErasePayload(ctx context.Context, now time.Time, chain string, seq int64, reason string) error {
	return doing("erasing a payload", m.change(ctx, now, func(t *tx) error {
		t.note(note{chain: chain, act: "audit.erase", object: strconv.FormatInt(seq, 10), payload: fields{"reason": reason}})
		return t.must(ctx, "audit row", strconv.FormatInt(seq, 10),
			`UPDATE audit SET payload = NULL, actor_name = '' WHERE customer = $1 AND seq = $2`, chain, seq)
	}))
}

// ChainState is the result of checking one chain.
type ChainState struct {
	Chain  string
	Rows   int64  // rows looked at
	Head   string // hash of the last one
	Broken string // a sentence when the chain is not whole, "" when it is
}

// VerifyChains recomputes every chain from its first row.
func (m *MSP) VerifyChains(ctx context.Context) ([]ChainState, error) {
	return reading(ctx, m.handle, "the audit chains", func(t *tx) ([]ChainState, error) {
		states, err := list(ctx, t, func(r scanner) (s ChainState, err error) {
			err = r.Scan(&s.Chain, &s.Rows, &s.Head)
			return s, err
		}, `SELECT customer, seq, hash FROM chain ORDER BY customer`)
		for i := range states {
			if err == nil {
				states[i], err = t.verifyChain(ctx, states[i])
			}
		}
		return states, err
	})
}

// verifyChain walks one chain up to the head that is expected.
func (t *tx) verifyChain(ctx context.Context, head ChainState) (ChainState, error) {
	state := ChainState{Chain: head.Chain}
	err := t.each(ctx, func(r scanner) error {
		row, err := scanAudit(r)
		if err == nil && state.Broken == "" {
			state.Broken = row.breaks(state)
			state.Rows, state.Head = state.Rows+1, row.Hash
		}
		return err
	}, `SELECT `+auditColumns+` FROM audit WHERE customer = $1 ORDER BY seq`, head.Chain)
	if err == nil && state.Broken == "" && (state.Rows != head.Rows || state.Head != head.Head) {
		state.Broken = fmt.Sprintf("The chain should end with row %d and ends with row %d.", head.Rows, state.Rows)
	}
	return state, err
}

// breaks says how a row fails to follow what was read so far.
func (a AuditRow) breaks(before ChainState) string {
	switch {
	case a.Seq != before.Rows+1:
		return fmt.Sprintf("Row %d is missing.", before.Rows+1)
	case a.Previous != before.Head:
		return fmt.Sprintf("Row %d does not follow row %d.", a.Seq, before.Rows)
	case a.Payload != nil && payloadHash(a.Payload) != a.PayloadHash:
		return fmt.Sprintf("The payload of row %d was changed.", a.Seq)
	case a.link() != a.Hash:
		return fmt.Sprintf("Row %d was changed.", a.Seq)
	}
	return ""
}
