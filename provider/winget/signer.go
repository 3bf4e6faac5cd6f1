package winget

import (
	"fmt"
	"strings"

	"patchbay/patch"
	"patchbay/patch/signature"
	"patchbay/provider"
)

// signedBy reports whether a file has a sound signature by the signer, and by no other: also
// one that this machine trusts is not the one that was signed for.
func signedBy(f provider.File, want patch.Signer) error {
	s, err := signature.Read(f, f.Size())
	if err != nil {
		return err
	}
	if !strings.EqualFold(s.Signer.Certificate, want.Certificate) {
		return fmt.Errorf("it is signed by %.100q with another certificate than the one of %.100q that the catalogue names", s.Signer.Name, want.Name)
	}
	return nil
}
