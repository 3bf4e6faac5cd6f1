package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPostgres connects, and refuses a user whom row-level security does not bind: it would
// stand behind nothing.
func openPostgres(ctx context.Context, url string) (*Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The error of the parser may repeat the address, which has a password in it.
		return nil, errors.New("its address is not understood; it looks like postgres://USER:PASSWORD@HOST/NAME?sslmode=verify-full")
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	db.SetConnMaxLifetime(time.Hour)
	if err := bound(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	listening := config.Copy()
	listening.RuntimeParams["application_name"] = listenerName
	return &Store{engine: postgresEngine(), writer: db, reader: db, listening: listening}, nil
}

// listenerName is how the connection that listens shows among those of the database.
const listenerName = "patchbay listening"

func bound(ctx context.Context, db *sql.DB) error {
	var user string
	var free bool
	err := db.QueryRowContext(ctx,
		`SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user`).Scan(&user, &free)
	if err != nil {
		return fmt.Errorf("asking who we are: %w", err)
	}
	if free {
		return fmt.Errorf("the database user %q may read past row-level security, which keeps customers apart; "+
			"make an ordinary one that owns the database (CREATE ROLE patchbay LOGIN …; CREATE DATABASE patchbay OWNER patchbay)", user)
	}
	return nil
}

// enterPostgres says, for this transaction only, which rows it may see.
func enterPostgres(ctx context.Context, t *sql.Tx, h handle) error {
	customer, msp := h.customer, "no"
	if h.msp {
		customer, msp = "", "yes"
	}
	_, err := t.ExecContext(ctx,
		`SELECT set_config('patchbay.customer', $1, true), set_config('patchbay.msp', $2, true)`, customer, msp)
	return err
}

func postgresEngine() engine {
	is := func(codes ...string) func(error) bool {
		return func(err error) bool {
			var e *pgconn.PgError
			if errors.As(err, &e) {
				for _, c := range codes {
					if e.Code == c {
						return true
					}
				}
			}
			return false
		}
	}
	return engine{
		name:    "postgres",
		enter:   enterPostgres,
		unique:  is("23505"),
		foreign: is("23503"),
		again:   is("40001", "40P01"), // serialization failure, deadlock
	}
}
