package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"golang.org/x/sys/windows"
)

// private lets the system and administrators in, and nobody else, also not by what the folder
// above would hand down; what is made inside inherits it.
const private = "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// makeDir makes the folder for administrators only, if an administrator asks. Others make
// theirs as folders are made where they are.
func makeDir(path string) error {
	token := windows.GetCurrentProcessToken()
	if !token.IsElevated() {
		return os.MkdirAll(path, 0o700)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	list, err := windows.SecurityDescriptorFromString("O:BA" + private)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: list}
	attributes.Length = uint32(reflect.TypeOf(attributes).Size())
	err = windows.CreateDirectory(name, &attributes) // at no moment is it there for others
	if !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return err
	}
	return takeOver(path, token, list)
}

// takeOver closes a folder that is there already. Whoever may make folders beside it could
// have made it: then it is theirs, and not believed.
func takeOver(path string, token windows.Token, list *windows.SECURITY_DESCRIPTOR) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 || !info.IsDir() {
		return fmt.Errorf("%s leads elsewhere, or is no folder: remove it", path)
	}
	have, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return err
	}
	owner, _, err := have.Owner()
	if err != nil {
		return err
	}
	self, err := token.GetTokenUser()
	if err != nil {
		return err
	}
	if !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) && !owner.IsWellKnown(windows.WinLocalSystemSid) && !owner.Equals(self.User.Sid) {
		return fmt.Errorf("%s belongs to %s and not to the administrators: look at it, and remove it", path, owner)
	}
	access, _, err := list.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, access, nil)
}

// syncDir does nothing: NTFS journals its own directories.
func syncDir(string) error { return nil }

func lock(f *os.File) error {
	flags := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY)
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}
