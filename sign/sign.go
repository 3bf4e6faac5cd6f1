// Package sign makes and uses the keys that no server has: those of root, publisher and
// approvers. It reads a document that is to be signed, says in plain words what it means
// for the devices, drafts the next one, and signs exactly the bytes it spoke of.
//
// The one idea: whoever drafts a document is not believed. A draft may come from a server
// that was taken over, on a stick that passed through other hands; the person with the key
// sees nothing of it but the text made here. So a draft has one form only, everything in it
// is said, and no text of it reaches the terminal as it stands.
//
// All of it is pure: bytes in, bytes and sentences out. Package cli reads and writes the
// files. What signs is a wire.Key, behind which a token may stand as well as a file.
package sign

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"patchbay/wire"
	"patchbay/wire/trust"
)

// Document is a draft or signed document that was read whole. Exactly one of Root, Limits,
// Catalog and Approval is there.
type Document struct {
	Root     *wire.Root
	Limits   *wire.Limits
	Catalog  *wire.Catalog
	Approval *wire.Approval

	envelope wire.Envelope
	form     error // what trust finds wrong with it, so that no device would take it
}

// MaxFile is the largest file that is read as a document.
const MaxFile = 4 * wire.MaxDocument

// ErrHidden means that a document is not written in the one way in which everything that
// stands in it is also shown.
var ErrHidden = errors.New("it is not written the way Patchbay writes documents, so it could hide something from whoever signs it")

// Read reads a file with a document: an envelope, with or without signatures, or a draft by
// hand, {"type": …, "document": {…}}, whose document gets the form that is signed.
func Read(data []byte) (*Document, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("reading a document: it is larger than any that is accepted")
	}
	var file struct {
		wire.Envelope
		Document json.RawMessage `json:"document"`
	}
	if err := strict(data, &file); err != nil {
		return nil, fmt.Errorf("reading a document: %w", err)
	}
	if len(file.Document) > 0 && (len(file.Payload) > 0 || len(file.Signatures) > 0) {
		return nil, errors.New("reading a document: it is a draft by hand and an envelope at once")
	}
	if len(file.Document) > 0 {
		payload, err := rewritten(file.Type, file.Document)
		if err != nil {
			return nil, err
		}
		file.Payload = payload
	}
	return Parse(file.Envelope)
}

// Parse reads what an envelope carries.
func Parse(e wire.Envelope) (*Document, error) {
	if len(e.Payload) > wire.MaxDocument || len(e.Signatures) > wire.MaxSignatures {
		return nil, fmt.Errorf("reading a document: it is larger than any that is accepted")
	}
	e.Payload, e.Signatures = bytes.Clone(e.Payload), slices.Clone(e.Signatures) // nobody changes them under it
	d := &Document{envelope: e}
	into, err := d.place(e.Type)
	if err != nil {
		return nil, err
	}
	if err := strict(e.Payload, into); err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.Type, err)
	}
	again, err := json.Marshal(into)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.Type, err)
	}
	if !bytes.Equal(again, e.Payload) {
		return nil, fmt.Errorf("reading %s: %w", e.Type, ErrHidden)
	}
	d.form = d.checkForm()
	return d, nil
}

// rewritten gives the document of a draft by hand the form that is signed.
func rewritten(docType string, document []byte) ([]byte, error) {
	into, err := new(Document).place(docType)
	if err != nil {
		return nil, err
	}
	if err := strict(document, into); err != nil {
		return nil, fmt.Errorf("reading %s: %w", docType, err)
	}
	payload, err := json.Marshal(into)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", docType, err)
	}
	return payload, nil
}

// place is where the content of a document of the type is decoded into.
func (d *Document) place(docType string) (any, error) {
	switch docType {
	case wire.RootDocument:
		d.Root = new(wire.Root)
		return d.Root, nil
	case wire.LimitsDocument:
		d.Limits = new(wire.Limits)
		return d.Limits, nil
	case wire.CatalogDocument:
		d.Catalog = new(wire.Catalog)
		return d.Catalog, nil
	case wire.ApprovalDocument:
		d.Approval = new(wire.Approval)
		return d.Approval, nil
	}
	return nil, fmt.Errorf("reading a document: people sign roots, limits, catalogues and approvals, and this is %s", ascii(docType, 40))
}

func (d *Document) checkForm() error {
	switch {
	case d.Root != nil:
		return trust.RootForm(*d.Root)
	case d.Limits != nil:
		return trust.LimitsForm(*d.Limits)
	case d.Catalog != nil && len(d.envelope.Payload) > wire.MaxCatalog:
		return fmt.Errorf("it has %d bytes, and %d are the most", len(d.envelope.Payload), wire.MaxCatalog)
	case d.Catalog != nil:
		return trust.CatalogForm(*d.Catalog)
	}
	return trust.CheckApproval(*d.Approval)
}

// Envelope is the document as it travels.
func (d *Document) Envelope() wire.Envelope { return d.envelope }

// Sign adds a signature to what was read, byte by byte. What no device would take is not
// signed.
func (d *Document) Sign(key wire.Key) error {
	if d.form != nil {
		return fmt.Errorf("signing: no device would take it: %w", d.form)
	}
	name, err := wire.KeyName(key.Public())
	if err != nil {
		return err
	}
	if len(d.envelope.Signatures) == wire.MaxSignatures && !d.has(name) {
		return fmt.Errorf("signing: it has %d signatures already, and more are not accepted", wire.MaxSignatures)
	}
	if err := d.envelope.Sign(key); err != nil {
		return err
	}
	if d.Signers(wire.Role{Keys: [][]byte{raw(key.Public())}}) == nil {
		return errors.New("signing: the signature that the key gave is not one")
	}
	return nil
}

func (d *Document) has(name string) bool {
	return slices.ContainsFunc(d.envelope.Signatures, func(s wire.Signature) bool { return s.Key == name })
}

// Signers are the keys of a role that signed, by name.
func (d *Document) Signers(r wire.Role) []string {
	names, err := d.envelope.Signers(d.envelope.Type, r.Public()...)
	if err != nil {
		return nil // beyond its bounds or of a key that is none: nobody's signature counts
	}
	return names
}

// raw gives the bytes of an Ed25519 public key, nothing for keys of another kind.
func raw(pub crypto.PublicKey) []byte {
	k, _ := pub.(ed25519.PublicKey)
	return k
}
