package content

import "golang.org/x/sys/windows"

// freeSpace is how many bytes this user may still write where a folder is.
func freeSpace(path string) (int64, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return int64(min(free, 1<<62)), err
}

// syncDir does nothing: NTFS journals its own directories.
func syncDir(string) error { return nil }
