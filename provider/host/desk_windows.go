package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"patchbay/provider"
)

// Announce shows a text to everybody who is logged in, and waits for nobody.
func (Host) Announce(ctx context.Context, text string) error {
	var problems []error
	all, err := sessions()
	if err != nil {
		return err
	}
	for _, l := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := message(l.id, text, windows.MB_ICONINFORMATION, toldTime, false); err != nil {
			problems = append(problems, fmt.Errorf("session %d: %w", l.id, err))
		}
	}
	return errors.Join(problems...)
}

// Tell shows those of a session a text.
func (Host) Tell(ctx context.Context, session uint32, text string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, err := message(session, text, windows.MB_ICONINFORMATION, toldTime, false)
	return err
}

// toldTime is how long a text is shown.
const toldTime = 10 * time.Minute

// Ask shows those of a session a question.
func (Host) Ask(ctx context.Context, session uint32, question string, wait time.Duration) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	const yes = 6 // IDYES
	answer, err := message(session, question, windows.MB_YESNO|windows.MB_ICONQUESTION|windows.MB_DEFBUTTON2, wait, true)
	if err != nil {
		return false, fmt.Errorf("asking in session %d: %w", session, err)
	}
	return answer == yes, nil
}

// message shows a box in a session for some time, and gives the answer where it waits for one.
func message(session uint32, text string, style uint32, shown time.Duration, wait bool) (answer uint32, err error) {
	title, err := windows.UTF16FromString("Patchbay")
	if err != nil {
		return 0, err
	}
	body, err := windows.UTF16FromString(text)
	if err != nil {
		return 0, err
	}
	send := windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSSendMessageW")
	if err := send.Find(); err != nil {
		return 0, err
	}
	var waits uintptr
	if wait {
		waits = 1
	}
	// Lengths are in bytes, without the end.
	ok, _, err := send.Call(0, uintptr(session), uintptr(unsafe.Pointer(&title[0])), uintptr(2*len(title)-2),
		uintptr(unsafe.Pointer(&body[0])), uintptr(2*len(body)-2), uintptr(style), uintptr(shown.Seconds()), uintptr(unsafe.Pointer(&answer)), waits)
	if ok == 0 {
		return 0, fmt.Errorf("the message could not be shown: %w", err)
	}
	return answer, nil
}

// endTime is how long a program may take to be gone after it was ended.
const endTime = 10 * time.Second

// isStill reports whether a number still is that of the program.
func isStill(p provider.Process) bool {
	program, began := examine(p.ID)
	return strings.EqualFold(program, p.Program) && began.Equal(p.Began)
}

// End ends a program, without asking. Another that got its number meanwhile is left alone.
func (Host) End(_ context.Context, p provider.Process) error {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE|windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, p.ID)
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return nil // it is gone
	}
	if err != nil {
		return fmt.Errorf("ending %s: %w", p.Program, err)
	}
	defer windows.CloseHandle(h)
	if !isStill(p) {
		return nil
	}
	if err := windows.TerminateProcess(h, 1); err != nil {
		return fmt.Errorf("ending %s: %w", p.Program, err)
	}
	if event, err := windows.WaitForSingleObject(h, uint32(endTime.Milliseconds())); err != nil || event != windows.WAIT_OBJECT_0 {
		return fmt.Errorf("%s was ended and is still there after %s", p.Program, endTime)
	}
	return nil
}
