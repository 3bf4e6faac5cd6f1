package patch

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// idEncoding is Crockford's alphabet in lower case: no i, l, o, u, so an ID read aloud over
// the telephone stays itself.
var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// The prefixes of IDs. An ID says what it names.
const (
	CustomerID = "cus"
	SiteID     = "site"
	DeviceID   = "dev"
	AgentID    = "agt"
	TokenID    = "tok"
	PersonID   = "per"
	SessionID  = "ses"
	KeyID      = "key"
	ApprovalID = "apr"
	GroupID    = "grp"
)

// NewID mints a random 128-bit ID with a type prefix, such as "dev_0h3k…". Only the server
// mints IDs; job IDs are derived instead (wire.JobID).
func NewID(prefix string) string {
	var b [16]byte
	rand.Read(b[:]) // never fails, says crypto/rand
	return prefix + "_" + idEncoding.EncodeToString(b[:])
}

// IsID reports whether s has the form of an ID with this prefix. It says nothing about
// whether such a thing exists.
func IsID(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok || len(rest) != 26 {
		return false
	}
	_, err := idEncoding.DecodeString(rest)
	return err == nil
}
