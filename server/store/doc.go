// Package store keeps all rows, and holds all SQL.
//
// The one idea: there is no query without a handle that says who asks and for which
// customer. A Store by itself can do nothing; Store.Customer gives the rows of one customer
// and of no other, Store.MSP the rows of the MSP and reads across customers. Every query of
// a customer's handle names the customer; on PostgreSQL forced row-level security stands
// behind it, so that a query that forgot would find nothing. Every change writes its row
// into an audit chain in the same transaction, because the only function that changes
// something refuses to commit without one.
//
// One SQL text runs on SQLite and on PostgreSQL. Times are kept to the millisecond, in UTC.
// A text with a byte that is no character keeps a replacement character in its place.
package store

import (
	"context"
	"database/sql"
	"errors"
)

// Who asks: every handle carries it, every audit row names it.
type Who struct {
	ID   string // a person's ID, "engine", "agent:ID" or "system"
	Name string // as people read it
}

// MSP is the handle for the rows of the MSP and for reads across customers.
type MSP struct{ handle }

// Customer is the handle for everything of one customer.
type Customer struct{ handle }

// handle is who asks, and for what.
type handle struct {
	s        *Store
	who      Who
	msp      bool
	customer string  // never looked at when msp
	within   *sql.Tx // a snapshot's; nil is a transaction for each query
}

// MSP gives the handle for the MSP.
func (s *Store) MSP(w Who) *MSP { return &MSP{handle{s: s, who: w, msp: true}} }

// Customer gives the handle for one customer. Whether there is one shows in the first query.
func (s *Store) Customer(w Who, id string) *Customer {
	return &Customer{handle{s: s, who: w, customer: id}}
}

// Snapshot calls fn with a handle all of whose queries see one state of the database, and
// cost one transaction. The handle is for reading, and gone when fn returns.
func (c *Customer) Snapshot(ctx context.Context, fn func(*Customer) error) error {
	return c.read(ctx, func(t *tx) error { return fn(&Customer{t.reading()}) })
}

// reading is a handle for reading inside the transaction.
func (t *tx) reading() handle {
	h := t.handle
	h.within = t.sql
	return h
}

// The kinds of refusals. Each is wrapped in a sentence that people can read.
var (
	ErrNotFound    = errors.New("there is no such thing")
	ErrExists      = errors.New("it exists already")
	ErrToken       = errors.New("the enrolment token cannot be used")
	ErrRefused     = errors.New("the agent is refused")
	ErrNewerSchema = errors.New("the database was written by a newer version of Patchbay")
)

// Refusal is a sentence for people and the kind of it for the program.
type Refusal struct {
	Kind     error // one of the Err… of this package
	Sentence string
}

// Error gives the sentence.
func (r *Refusal) Error() string { return r.Sentence }

// Unwrap gives the kind.
func (r *Refusal) Unwrap() error { return r.Kind }

func refuse(kind error, sentence string) error { return &Refusal{kind, sentence} }

// missing is the refusal for a thing that is not there, or not this customer's: which of
// both is nobody's business.
func missing(what, id string) error {
	if id == "" {
		return refuse(ErrNotFound, "There is no such "+what+".")
	}
	return refuse(ErrNotFound, "There is no "+what+" "+id+".")
}
