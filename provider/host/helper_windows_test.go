package host

import (
	"context"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"patchbay/patch"
	"patchbay/provider"
)

// ownSession is where the tests run.
func ownSession(t *testing.T) uint32 {
	t.Helper()
	drivers, _, err := registry.CreateKey(registry.CURRENT_USER, `Software\Wine\Drivers`, registry.SET_VALUE)
	if err != nil {
		t.Fatal(err)
	}
	defer drivers.Close()
	if err := drivers.SetStringValue("Graphics", "null"); err != nil { // windows that nobody sees
		t.Fatal(err)
	}
	return session(uint32(os.Getpid()))
}

// window looks for the dialog until it is there.
func window(t *testing.T, ctx context.Context) uintptr {
	t.Helper()
	title, err := windows.UTF16PtrFromString(dialogTitle)
	if err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		if found, _, _ := user("FindWindowW").Call(0, uintptr(unsafe.Pointer(title))); found != 0 {
			return found
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Fatal("no window appeared")
	return 0
}

// TestAQuestionIsAnsweredInASession goes the whole way: another process in the session, its
// dialog, and a press of each button.
func TestAQuestionIsAnsweredInASession(t *testing.T) {
	q := provider.Question{Text: "When may this machine restart?", Choices: []string{"Restart now", "Today at 17:30", "Ask me later (2 times left)"}}
	for press := range len(q.Choices) + 1 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		type ended struct {
			choice int
			err    error
		}
		got := make(chan ended, 1)
		go func() {
			r, err := inSession(ctx, ownSession(t), helperRequest{Ask: &helperQuestion{Text: q.Text, Choices: q.Choices, Seconds: 30}}, time.Minute)
			e := ended{-1, err}
			if r.Choice != nil {
				e.choice = *r.Choice
			}
			got <- e
		}()
		want, button := press, uintptr(firstButton+press)
		if press == len(q.Choices) { // closed
			want, button = -1, buttonCancel
		}
		dialog := window(t, ctx)
		for pressed := false; !pressed; { // until it listens
			post(dialog, clickButton, button)
			select {
			case e := <-got:
				if e.err != nil || e.choice != want {
					t.Errorf("pressed %d: %d, %v", press, e.choice, e.err)
				}
				pressed = true
			case <-time.After(200 * time.Millisecond):
			}
		}
		cancel()
	}
}

// TestAQuestionEnds: nobody answers, and the dialog closes itself.
func TestAQuestionEnds(t *testing.T) {
	r, err := inSession(t.Context(), ownSession(t), helperRequest{Ask: &helperQuestion{Text: "When?", Choices: []string{"Now"}, Seconds: 2}}, time.Minute)
	if err != nil || r.Choice != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestAHelperThatHangsIsEnded, and its window with it.
func TestAHelperThatHangsIsEnded(t *testing.T) {
	began := time.Now()
	if _, err := inSession(t.Context(), ownSession(t), helperRequest{Ask: &helperQuestion{Text: "When?", Choices: []string{"Now"}, Seconds: 600}}, 5*time.Second); err == nil {
		t.Error("it answered")
	}
	if time.Since(began) > 30*time.Second {
		t.Error("it was waited for")
	}
}

func TestPresenceIsAsked(t *testing.T) {
	p := Host{}.Presence(t.Context())
	for _, a := range []patch.Answer{p.LoggedIn, p.Locked, p.Presenting, p.Battery} {
		if a != patch.Yes && a != patch.No && a != patch.Unknown {
			t.Errorf("%+v", p)
		}
	}
	t.Logf("%+v", p)
	if r, err := inSession(t.Context(), ownSession(t), helperRequest{Look: true}, lookTime); err != nil {
		t.Errorf("looking in the session: %v", err)
	} else {
		t.Logf("in the session: %+v", r)
	}
}

// TestAProgramIsAskedToClose: its windows close as by their own button.
func TestAProgramIsAskedToClose(t *testing.T) {
	notepad, err := os.StartProcess(windowsFolder()+`\notepad.exe`, []string{"notepad.exe"}, &os.ProcAttr{Files: []*os.File{nil, nil, nil}})
	if err != nil {
		t.Fatal(err)
	}
	defer notepad.Kill()
	p := provider.Process{ID: uint32(notepad.Pid), Session: ownSession(t)}
	p.Program, p.Began = examine(p.ID)
	for range 100 { // until it has a window
		if err = (Host{}).Close(t.Context(), p); err == nil {
			return
		}
		<-time.After(200 * time.Millisecond)
	}
	t.Errorf("it does not close: %v", err)
}
