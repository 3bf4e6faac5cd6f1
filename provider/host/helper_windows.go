package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"patchbay/patch"
	"patchbay/provider"
)

const (
	lookTime  = 10 * time.Second // that a helper has for what waits for nobody
	closeTime = 30 * time.Second // that a program has to close after it was asked
)

// inSession has this very program, as it lies in its own folder, do one thing in somebody's
// session with their rights. It inherits two pipes and nothing else, and ends with the call.
func inSession(ctx context.Context, session uint32, r helperRequest, limit time.Duration) (helperReply, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := json.Marshal(r)
	if err != nil {
		return helperReply{}, err
	}
	h, err := startHelper(session)
	if err != nil {
		return helperReply{}, fmt.Errorf("starting a helper in session %d: %w", session, err)
	}
	defer h.end()
	type line struct {
		text []byte
		err  error
	}
	said := make(chan line, 1)
	go func() {
		if _, err := h.in.Write(append(request, '\n')); err != nil {
			said <- line{err: err}
			return
		}
		text, err := bufio.NewReader(io.LimitReader(h.out, maxReply+1)).ReadBytes('\n')
		said <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return helperReply{}, fmt.Errorf("waiting for the helper in session %d: %w", session, context.Cause(ctx))
	case l := <-said:
		if l.err != nil {
			return helperReply{}, fmt.Errorf("the helper in session %d said nothing: %w", session, l.err)
		}
		return parseReply(l.text, r)
	}
}

// helper is one that runs.
type helper struct {
	in, out *os.File
	process windows.Handle
	job     windows.Handle // that ends it
}

func (h helper) end() {
	_ = windows.TerminateJobObject(h.job, 1)
	_ = windows.CloseHandle(h.job)
	_ = windows.CloseHandle(h.process)
	_ = h.in.Close()
	_ = h.out.Close()
}

// startHelper starts one as whoever is logged on in the session.
func startHelper(session uint32) (helper, error) {
	program, err := os.Executable()
	if err != nil {
		return helper{}, err
	}
	var token windows.Token
	if err := windows.WTSQueryUserToken(session, &token); err != nil {
		return helper{}, fmt.Errorf("acting for whoever is logged on: %w", err)
	}
	defer token.Close()
	theirIn, in, err := pipe(true)
	if err != nil {
		return helper{}, err
	}
	defer windows.CloseHandle(theirIn)
	theirOut, out, err := pipe(false)
	if err != nil {
		return helper{}, errors.Join(err, in.Close())
	}
	defer windows.CloseHandle(theirOut)
	h := helper{in: in, out: out}
	if h.job, err = windows.CreateJobObject(nil, nil); err == nil {
		if err = endsWithUs(h.job, windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE); err == nil {
			h.process, err = startAs(token, program, h.job, theirIn, theirOut)
		}
	}
	if err != nil {
		_ = windows.CloseHandle(h.job)
		return helper{}, errors.Join(err, in.Close(), out.Close())
	}
	return h, nil
}

// pipe makes one of which the helper inherits its end: where it reads, or where it writes.
func pipe(reads bool) (theirs windows.Handle, ours *os.File, err error) {
	inherited := windows.SecurityAttributes{InheritHandle: 1}
	inherited.Length = uint32(unsafe.Sizeof(inherited))
	var r, w windows.Handle
	if err := windows.CreatePipe(&r, &w, &inherited, 0); err != nil {
		return 0, nil, fmt.Errorf("making a pipe: %w", err)
	}
	mine, theirs := w, r
	if !reads {
		mine, theirs = r, w
	}
	if err := windows.SetHandleInformation(mine, windows.HANDLE_FLAG_INHERIT, 0); err != nil {
		return 0, nil, errors.Join(fmt.Errorf("making a pipe: %w", err), windows.CloseHandle(r), windows.CloseHandle(w))
	}
	return theirs, os.NewFile(uintptr(mine), "pipe"), nil
}

// startAs starts the program on the desktop of the token's session, stopped until it belongs to
// the job.
func startAs(token windows.Token, program string, job, in, out windows.Handle) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(program)
	if err != nil {
		return 0, err
	}
	line, err := windows.UTF16PtrFromString(windows.ComposeCommandLine([]string{program, HelperCommand}))
	if err != nil {
		return 0, err
	}
	folder, err := windows.UTF16PtrFromString(filepath.Dir(program))
	if err != nil {
		return 0, err
	}
	desktop, err := windows.UTF16PtrFromString(`winsta0\default`)
	if err != nil {
		return 0, err
	}
	var environment *uint16
	if err := windows.CreateEnvironmentBlock(&environment, token, false); err != nil {
		return 0, fmt.Errorf("making their environment: %w", err)
	}
	defer windows.DestroyEnvironmentBlock(environment)
	handles := []windows.Handle{in, out}
	attributes, err := windows.NewProcThreadAttributeList(1)
	if err != nil {
		return 0, err
	}
	defer attributes.Delete()
	if err := attributes.Update(windows.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unsafe.Pointer(&handles[0]), uintptr(len(handles))*unsafe.Sizeof(handles[0])); err != nil {
		return 0, err
	}
	start := windows.StartupInfoEx{ProcThreadAttributeList: attributes.List()}
	start.Cb = uint32(unsafe.Sizeof(start))
	start.Desktop, start.Flags, start.StdInput, start.StdOutput = desktop, windows.STARTF_USESTDHANDLES, in, out
	const flags = windows.CREATE_SUSPENDED | windows.CREATE_NO_WINDOW | windows.CREATE_UNICODE_ENVIRONMENT | windows.EXTENDED_STARTUPINFO_PRESENT
	var made windows.ProcessInformation
	if err := windows.CreateProcessAsUser(token, name, line, nil, nil, true, flags, environment, folder, &start.StartupInfo, &made); err != nil {
		return 0, err
	}
	defer windows.CloseHandle(made.Thread)
	if err = windows.AssignProcessToJobObject(job, made.Process); err == nil {
		_, err = windows.ResumeThread(made.Thread)
	}
	if err != nil {
		return 0, errors.Join(err, windows.TerminateProcess(made.Process, 1), windows.CloseHandle(made.Process))
	}
	return made.Process, nil
}

// Choose shows those of a session a question. Where no helper can, they get Windows' own question
// with yes for the first choice.
func (h Host) Choose(ctx context.Context, session uint32, q provider.Question, wait time.Duration) (int, error) {
	if len(q.Choices) == 0 {
		return -1, errors.New("a question without a choice")
	}
	r, err := inSession(ctx, session, helperRequest{Ask: &helperQuestion{Text: q.Text, Choices: q.Choices, Seconds: int(wait.Seconds())}}, wait+lookTime)
	switch {
	case err == nil && r.Choice != nil:
		return *r.Choice, nil
	case err == nil || ctx.Err() != nil:
		return -1, ctx.Err()
	}
	yes, asked := h.Ask(ctx, session, q.Text+"\r\n\r\n"+q.Choices[0]+"?", wait)
	if asked != nil {
		return -1, errors.Join(err, asked)
	}
	if !yes {
		return -1, nil
	}
	return 0, nil
}

// presents asks in each session that is seen whether somebody shows something: one is enough.
func presents(ctx context.Context, all []logon) patch.Answer {
	answer := patch.Unknown
	for _, l := range all {
		if lockOf(l) == patch.Yes {
			continue
		}
		r, err := inSession(ctx, l.id, helperRequest{Look: true}, lookTime)
		switch {
		case err != nil:
			return patch.Unknown
		case r.Presenting == patch.Yes:
			return patch.Yes
		case r.Presenting == patch.No:
			answer = patch.No
		}
	}
	return answer
}

// Close asks the windows of a program to close, as their own button does, and waits a while for
// it to be gone. One that goes on is left.
func (Host) Close(ctx context.Context, p provider.Process) error {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, p.ID)
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return nil // it is gone
	}
	if err != nil {
		return fmt.Errorf("closing %s: %w", p.Program, err)
	}
	defer windows.CloseHandle(h)
	if !isStill(p) {
		return nil
	}
	if _, err := inSession(ctx, p.Session, helperRequest{Close: p.ID}, lookTime); err != nil {
		return fmt.Errorf("closing %s: %w", p.Program, err)
	}
	if event, err := windows.WaitForSingleObject(h, uint32(closeTime.Milliseconds())); err != nil || event != windows.WAIT_OBJECT_0 {
		return fmt.Errorf("%s was asked to close and is still there after %s", p.Program, closeTime)
	}
	return nil
}
