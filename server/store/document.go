package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/wire"
)

// ErrDocument means that a signed document cannot be taken as it is.
var ErrDocument = errors.New("the document cannot be taken")

// Document is a signed document. Its type, version and ID together name it.
type Document struct {
	Type     string             // of the envelope
	Version  wire.OrdersVersion // an epoch only for what the server says of itself; zero for approvals
	ID       string             // of an approval
	Envelope wire.Envelope
	At       time.Time
	By       string // a person's ID, or "system"
}

// title is how a document is called in sentences and audit rows: "root 3", "server 1.4".
func (d Document) title() string {
	kind := strings.TrimSuffix(strings.TrimPrefix(d.Type, "patchbay/"), "/v1")
	return kind + " " + d.number()
}

func (d Document) number() string {
	switch {
	case d.ID != "":
		return d.ID
	case d.Version.Epoch > 0:
		return fmt.Sprintf("%d.%d", d.Version.Epoch, d.Version.Version)
	}
	return fmt.Sprint(d.Version.Version)
}

const documentColumns = `type, epoch, version, id, body, at, by`

func scanDocument(r scanner) (d Document, err error) {
	err = r.Scan(&d.Type, &d.Version.Epoch, &d.Version.Version, &d.ID, decoded{&d.Envelope}, at(&d.At), &d.By)
	return d, err
}

// current leaves out the catalogues before the newest: they are large, and nobody is told of
// them any more. Other documents are all needed, or few.
const current = `(type <> '` + wire.CatalogDocument + `' OR version = (SELECT MAX(version) FROM document WHERE type = '` + wire.CatalogDocument + `'))`

// Documents lists the signed documents of a type, or all that are current, the lowest version
// first.
func (m *MSP) Documents(ctx context.Context, docType string) ([]Document, error) {
	return reading(ctx, m.handle, "documents", func(t *tx) ([]Document, error) {
		q := newFilter(t)
		q.text("type", docType)
		if docType == "" {
			q.only(current)
		}
		return list(ctx, t, scanDocument, `SELECT `+documentColumns+` FROM document`+q.String()+
			` ORDER BY type, epoch, version, id`, q.args...)
	})
}

// MarkOf is the mark of documents that were read, all that are current.
func MarkOf(all []Document) string {
	var sum int64
	for _, d := range all {
		sum += d.At.UnixMilli()
	}
	return fmt.Sprint(len(all), " ", sum)
}

// DocumentsMark is another than MarkOf those that were read once one was added or signed by
// another key since. Asking for it costs little.
func (m *MSP) DocumentsMark(ctx context.Context) (string, error) {
	return reading(ctx, m.handle, "documents", func(t *tx) (string, error) {
		var count, sum int64
		err := t.row(ctx, `SELECT COUNT(*), CAST(COALESCE(SUM(at), 0) AS BIGINT) FROM document WHERE `+current).Scan(&count, &sum)
		return fmt.Sprint(count, " ", sum), err
	})
}

// AddDocument keeps a signed document. The very same is kept once; one that has the same
// content and was signed by more keys gets their signatures. Another content under a number
// that was given is refused.
func (m *MSP) AddDocument(ctx context.Context, now time.Time, d Document) error {
	d.At, d.By = now, m.who.ID
	return doing("keeping a document", m.record(ctx, now, func(t *tx) error {
		n, err := t.exec(ctx, `INSERT INTO document (`+documentColumns+`) VALUES (`+marks(1, 7)+`) ON CONFLICT DO NOTHING`,
			d.Type, d.Version.Epoch, d.Version.Version, d.ID, encoded{d.Envelope}, millis(d.At), d.By)
		if err != nil {
			return err
		}
		if n == 0 {
			return t.signDocument(ctx, d)
		}
		t.published(d, d.Envelope.Signatures)
		return nil
	}))
}

// signDocument adds the signatures that are not there yet. Its first statement locks the
// row while it reads, so that two people who sign at once do not lose one's signature.
func (t *tx) signDocument(ctx context.Context, d Document) error {
	held, err := scanDocument(t.row(ctx, `UPDATE document SET by = by WHERE type = $1 AND epoch = $2 AND version = $3 AND id = $4
		RETURNING `+documentColumns, d.Type, d.Version.Epoch, d.Version.Version, d.ID))
	if err != nil {
		return err
	}
	if !bytes.Equal(held.Envelope.Payload, d.Envelope.Payload) {
		return refuse(ErrDocument, "There is a "+d.title()+" already, and it says something else: a number is given once.")
	}
	var more []wire.Signature
	for _, s := range d.Envelope.Signatures {
		if !slices.ContainsFunc(held.Envelope.Signatures, func(o wire.Signature) bool { return o.Key == s.Key }) {
			more = append(more, s)
		}
	}
	if len(more) == 0 {
		return nil
	}
	held.Envelope.Signatures = append(held.Envelope.Signatures, more...)
	t.published(d, more)
	_, err = t.exec(ctx, `UPDATE document SET body = $5, at = $6 WHERE type = $1 AND epoch = $2 AND version = $3 AND id = $4`,
		d.Type, d.Version.Epoch, d.Version.Version, d.ID, encoded{held.Envelope}, millis(d.At))
	return err
}

func (t *tx) published(d Document, by []wire.Signature) {
	keys := make([]string, 0, len(by))
	for _, s := range by {
		keys = append(keys, s.Key)
	}
	t.note(note{act: "document.publish", object: d.title(), payload: fields{"type": d.Type, "version": d.number(), "keys": keys}})
}

// OrdersEpoch is the lowest epoch in which this installation signs: a higher one after each
// restore from a backup.
func (m *MSP) OrdersEpoch(ctx context.Context) (int64, error) {
	return reading(ctx, m.handle, "the epoch", func(t *tx) (int64, error) { return t.epoch(ctx) })
}
