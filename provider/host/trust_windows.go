package host

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"patchbay/provider"
)

var _ provider.SigningHost = Host{}

// Trusted asks Windows whether it accepts the Authenticode signature of an open file. It is
// asked about the file that is open, by its handle. No network is used, so a certificate that
// was revoked lately passes.
func (Host) Trusted(ctx context.Context, f provider.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := windows.UTF16PtrFromString(f.Path())
	if err != nil {
		return err
	}
	file := windows.WinTrustFileInfo{Size: uint32(unsafe.Sizeof(windows.WinTrustFileInfo{})), FilePath: path, File: windows.Handle(f.Fd())}
	data := windows.WinTrustData{
		Size: uint32(unsafe.Sizeof(windows.WinTrustData{})), UIChoice: windows.WTD_UI_NONE, RevocationChecks: windows.WTD_REVOKE_NONE,
		UnionChoice: windows.WTD_CHOICE_FILE, FileOrCatalogOrBlobOrSgnrOrCert: unsafe.Pointer(&file),
		StateAction: windows.WTD_STATEACTION_VERIFY, ProvFlags: windows.WTD_CACHE_ONLY_URL_RETRIEVAL | windows.WTD_DISABLE_MD2_MD4,
	}
	action := windows.WINTRUST_ACTION_GENERIC_VERIFY_V2
	err = windows.WinVerifyTrustEx(windows.InvalidHWND, &action, &data)
	data.StateAction = windows.WTD_STATEACTION_CLOSE
	_ = windows.WinVerifyTrustEx(windows.InvalidHWND, &action, &data) // gives memory back
	if err != nil {
		return fmt.Errorf("Windows does not accept its signature: %w", words(err))
	}
	return nil
}

// words puts the usual answers into words that do not depend on the system's language.
func words(err error) error {
	var code syscall.Errno
	if !errors.As(err, &code) {
		return err
	}
	text := map[uint32]string{
		uint32(windows.TRUST_E_NOSIGNATURE): "it is not signed", uint32(windows.TRUST_E_BAD_DIGEST): "it was changed after it was signed",
		uint32(windows.CERT_E_UNTRUSTEDROOT): "this machine does not know who vouches for the signer", uint32(windows.CERT_E_CHAINING): "nobody known vouches for the signer",
		uint32(windows.CERT_E_EXPIRED): "the signer's certificate had expired", uint32(windows.CERT_E_REVOKED): "the signer's certificate was revoked",
		uint32(windows.TRUST_E_EXPLICIT_DISTRUST): "this machine distrusts the signer", uint32(windows.TRUST_E_SUBJECT_FORM_UNKNOWN): "it is no file that can be signed",
		uint32(windows.TRUST_E_PROVIDER_UNKNOWN): "this machine cannot check it", uint32(windows.CERT_E_WRONG_USAGE): "the signer's certificate is not for programs",
	}[uint32(code)]
	if text == "" {
		text = code.Error()
	}
	return fmt.Errorf("%s (0x%08X)", text, uint32(code))
}
