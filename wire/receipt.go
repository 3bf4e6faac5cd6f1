package wire

import (
	"crypto/x509"
	"errors"
	"fmt"
)

// SignedReceipt is a receipt as it is taken along: what an agent signed, and the public key
// that the server says the agent has.
type SignedReceipt struct {
	Document Envelope `json:"document"`
	Key      []byte   `json:"key"` // PKIX DER
}

// Check opens the receipt with the key beside it and names that key. The error says why it
// proves nothing. Whose key it is, the receipt cannot say.
func (s SignedReceipt) Check() (r Receipt, key string, err error) {
	pub, err := x509.ParsePKIXPublicKey(s.Key)
	if err != nil {
		return r, "", fmt.Errorf("the key beside the receipt cannot be read: %w", err)
	}
	key, err = s.Document.Open(ReceiptDocument, &r, pub)
	if errors.Is(err, ErrSignature) {
		err = errors.New("the receipt is not signed by the key beside it: it was changed since, or another agent made it")
	}
	if err != nil {
		return Receipt{}, "", err
	}
	return r, key, nil
}
