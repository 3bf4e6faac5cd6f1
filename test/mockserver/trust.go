package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"time"

	"patchbay/server/documents"
	"patchbay/wire"
)

// The versions that the invented installation is at.
const newestRoot, newestLimits, newestCatalog = 1, 3, 12

// trust publishes a root of three people and limits that end soon, as an installation has
// them that nobody has thought of for a while.
func (w *world) trust(ctx context.Context, held *documents.Documents, server ed25519.PrivateKey, now time.Time) error {
	keys := func(n int) (private []ed25519.PrivateKey, role wire.Role, err error) {
		for range n {
			_, k, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				return nil, role, fmt.Errorf("making a key: %w", err)
			}
			private, role.Keys = append(private, k), append(role.Keys, k.Public().(ed25519.PublicKey))
		}
		role.Threshold = 1
		return private, role, nil
	}
	people, root, err := keys(3)
	if err != nil {
		return err
	}
	root.Threshold = 2
	publishers, publisher, err := keys(1)
	if err != nil {
		return err
	}
	_, approver, err := keys(4)
	if err != nil {
		return err
	}
	publish := func(docType string, v any, signers ...ed25519.PrivateKey) error {
		e, err := wire.Seal(docType, v, signers[0])
		if err != nil {
			return err
		}
		for _, s := range signers[1:] {
			if err := e.Sign(s); err != nil {
				return err
			}
		}
		return held.Publish(ctx, w.by, *e)
	}
	err = publish(wire.RootDocument, wire.Root{Version: newestRoot, Installation: "inst_tsq44b396d831q025ppvaqdrym", IssuedAt: now.Add(-200 * day),
		Expires: now.Add(530 * day), Root: root, Publisher: publisher, Approver: approver, Limits: 1,
		Server: wire.Role{Keys: [][]byte{server.Public().(ed25519.PublicKey)}, Threshold: 1}}, people[0], people[2])
	if err != nil {
		return err
	}
	err = publish(wire.CatalogDocument, wire.Catalog{Version: newestCatalog, Root: newestRoot, IssuedAt: now.Add(-2 * day), Expires: now.Add(62 * day),
		Packages: catalogPackages(now)}, publishers[0])
	if err != nil {
		return err
	}
	return publish(wire.LimitsDocument, wire.Limits{Version: newestLimits, Root: newestRoot, IssuedAt: now.Add(-346 * day), Expires: now.Add(19 * day),
		Verbs: []string{wire.VerbInstall, wire.VerbUndo}, Sources: []wire.LimitSource{{Provider: "apt", Origin: "Debian"}, {Provider: "apt", Origin: "Docker"}, {Provider: winget}},
		DevicesPerHour: 50, Fleet: 20000, Approvals: 2, Forced: 1}, publishers[0])
}

// holds is what the i-th agent says it holds: some are behind, one of an old build says nothing.
func holds(i int) wire.HeldDocuments {
	switch {
	case i%9 == 8:
		return wire.HeldDocuments{Root: newestRoot, Limits: newestLimits - 1}
	case i%40 == 3:
		return wire.HeldDocuments{}
	}
	return wire.HeldDocuments{Root: newestRoot, Limits: newestLimits}
}
