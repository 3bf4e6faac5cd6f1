package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"patchbay/patch"
)

// What the dialogs of Windows are told, by its headers.
const (
	dialogCancellable  = 0x0008
	dialogCommandLinks = 0x0010
	dialogTimer        = 0x0800
	dialogCreated      = 0 // TDN_CREATED
	dialogTicks        = 4 // TDN_TIMER: every 200 ms, with the milliseconds since the start
	clickButton        = 0x0400 + 102
	buttonCancel       = 2
	firstButton        = 1000 // of the choices
)

// dialogTitle is that of the window.
const dialogTitle = "Patchbay"

// showQuestion shows it as a dialog of Windows with a button for each choice, and gives the one
// that was pressed: -1 when it was closed or nobody pressed one in time.
func showQuestion(q helperQuestion) (int, error) {
	runtime.LockOSThread() // a window belongs to its thread
	defer runtime.UnlockOSThread()
	leave, err := newLook()
	if err != nil {
		return -1, err
	}
	defer leave()
	show := windows.NewLazyDLL("comctl32.dll").NewProc("TaskDialogIndirect") // of the look: the name alone finds it
	if err := show.Find(); err != nil {
		return -1, fmt.Errorf("this Windows has no dialogs with buttons of their own: %w", err)
	}
	config, keep, err := dialogOf(q)
	if err != nil {
		return -1, err
	}
	var pressed int32
	code, _, _ := show.Call(uintptr(unsafe.Pointer(&config[0])), uintptr(unsafe.Pointer(&pressed)), 0, 0)
	runtime.KeepAlive(keep)
	if code != 0 {
		return -1, fmt.Errorf("the question could not be shown: %w", syscall.Errno(code))
	}
	if choice := int(pressed) - firstButton; choice >= 0 && choice < len(q.Choices) {
		return choice, nil
	}
	return -1, nil
}

// dialogOf writes a TASKDIALOGCONFIG, whose fields have no room between them. What it points to
// is in keep.
func dialogOf(q helperQuestion) (config []byte, keep any, err error) {
	const size, buttonSize = 160, 12
	var texts [][]uint16
	text := func(s string) uint64 {
		t, e := windows.UTF16FromString(s)
		if e != nil {
			err = e
			return 0
		}
		texts = append(texts, t)
		return uint64(uintptr(unsafe.Pointer(&t[0])))
	}
	config, buttons := make([]byte, size), make([]byte, buttonSize*len(q.Choices))
	for i, choice := range q.Choices {
		binary.LittleEndian.PutUint32(buttons[buttonSize*i:], uint32(firstButton+i))
		binary.LittleEndian.PutUint64(buttons[buttonSize*i+4:], text(choice))
	}
	limit := time.Duration(q.Seconds) * time.Second
	callback := windows.NewCallback(func(window, what, milliseconds, _, _ uintptr) uintptr {
		switch {
		case what == dialogCreated:
			raise(window)
		case what == dialogTicks && limit > 0 && time.Duration(milliseconds)*time.Millisecond >= limit:
			post(window, clickButton, buttonCancel)
		}
		return 0
	})
	binary.LittleEndian.PutUint32(config[0:], size)
	binary.LittleEndian.PutUint32(config[20:], dialogCancellable|dialogCommandLinks|dialogTimer)
	binary.LittleEndian.PutUint64(config[28:], text(dialogTitle))
	binary.LittleEndian.PutUint64(config[52:], text(q.Text))
	binary.LittleEndian.PutUint32(config[60:], uint32(len(q.Choices)))
	binary.LittleEndian.PutUint64(config[64:], uint64(uintptr(unsafe.Pointer(&buttons[0]))))
	binary.LittleEndian.PutUint32(config[72:], uint32(firstButton+len(q.Choices)-1)) // Return chooses the mildest
	binary.LittleEndian.PutUint64(config[140:], uint64(callback))
	return config, []any{texts, buttons}, err
}

// newLook has this thread use the newer controls of Windows, which an own program gets by a
// manifest: the shell's own has it, as resource 124.
func newLook() (leave func(), err error) {
	const byResource, byFolder, manifest = 0x008, 0x004, 124
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	folder, err := windows.GetSystemDirectory()
	if err != nil {
		return nil, fmt.Errorf("finding the system's folder: %w", err)
	}
	source, err := windows.UTF16PtrFromString(folder + `\shell32.dll`)
	if err != nil {
		return nil, err
	}
	in, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return nil, err
	}
	context := struct {
		size         uint32
		flags        uint32
		source       *uint16
		architecture uint16
		language     uint16
		folder       *uint16
		resource     uintptr
		application  *uint16
		module       windows.Handle
	}{flags: byResource | byFolder, source: source, folder: in, resource: manifest}
	context.size = uint32(unsafe.Sizeof(context))
	handle, _, err := kernel.NewProc("CreateActCtxW").Call(uintptr(unsafe.Pointer(&context)))
	if windows.Handle(handle) == windows.InvalidHandle {
		return nil, fmt.Errorf("using the controls of this Windows: %w", err)
	}
	release := func() { _, _, _ = kernel.NewProc("ReleaseActCtx").Call(handle) }
	var cookie uintptr
	if ok, _, err := kernel.NewProc("ActivateActCtx").Call(handle, uintptr(unsafe.Pointer(&cookie))); ok == 0 {
		release()
		return nil, fmt.Errorf("using the controls of this Windows: %w", err)
	}
	return func() {
		_, _, _ = kernel.NewProc("DeactivateActCtx").Call(0, cookie)
		release()
	}, nil
}

func user(name string) *windows.LazyProc { return windows.NewLazySystemDLL("user32.dll").NewProc(name) }

// raise puts a window before the others.
func raise(window uintptr) {
	const topmost, stay = ^uintptr(0), 0x0001 | 0x0002 // neither moved nor sized
	_, _, _ = user("SetWindowPos").Call(window, topmost, 0, 0, 0, 0, stay)
}

func post(window uintptr, message, with uintptr) {
	_, _, _ = user("PostMessageW").Call(window, message, with, 0)
}

// presenting asks the shell whether somebody shows something.
func presenting() patch.Answer {
	const busy, fullScreen, presents, accepts, quiet, app = 2, 3, 4, 5, 6, 7
	ask := windows.NewLazySystemDLL("shell32.dll").NewProc("SHQueryUserNotificationState")
	if ask.Find() != nil {
		return patch.Unknown
	}
	var state int32
	if code, _, _ := ask.Call(uintptr(unsafe.Pointer(&state))); code != 0 {
		return patch.Unknown
	}
	switch state {
	case busy, fullScreen, presents:
		return patch.Yes
	case accepts, quiet, app:
		return patch.No
	}
	return patch.Unknown
}

// closeWindows asks the windows of a process that are seen to close, as their own button does.
// The program may ask whether something is to be saved.
func closeWindows(process uint32) (int, error) {
	const closeIt, most = 0x0010, 1000
	n := 0
	callback := windows.NewCallback(func(window windows.HWND, _ uintptr) uintptr {
		var owner uint32
		_, err := windows.GetWindowThreadProcessId(window, &owner)
		if err == nil && owner == process && windows.IsWindowVisible(window) && n < most {
			post(uintptr(window), closeIt, 0)
			n++
		}
		return 1
	})
	if err := windows.EnumWindows(callback, nil); err != nil {
		return n, fmt.Errorf("looking for its windows: %w", err)
	}
	if n == 0 {
		return 0, errors.New("it has no window that could be asked to close")
	}
	return n, nil
}
