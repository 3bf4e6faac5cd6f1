package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"patchbay/provider"
)

// askEngine is this program as one that asks the engine one thing and writes the answer:
//
//	search offered|installed|hidden [online]
//	download|install|agree|uninstall [ID REVISION]...
//	history MOST
//	state
//	abandon ID REVISION
func askEngine(args []string) int {
	ctx := context.Background()
	var a engineAsked
	e, err := Host{}.Engine(ctx)
	if err == nil {
		defer e.Close()
		err = a.ask(ctx, e, args)
	}
	if err != nil {
		a.Error, a.Busy, a.Absent = err.Error(), errors.Is(err, provider.ErrBusy), errors.Is(err, provider.ErrAbsent)
		var failed *provider.EngineError
		if errors.As(err, &failed) {
			a.HResult = failed.HResult
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		return 1
	}
	return 0
}

func (a *engineAsked) ask(ctx context.Context, e provider.Engine, args []string) (err error) {
	var ids []provider.EngineID
	for i := 2; i < len(args); i += 2 {
		revision, _ := strconv.Atoi(args[i])
		ids = append(ids, provider.EngineID{Update: args[i-1], Revision: revision})
	}
	switch args[0] {
	case "search":
		q := map[string]provider.EngineSearch{"offered": provider.EngineOffered, "installed": provider.EngineInstalled, "hidden": provider.EngineHidden}[args[1]]
		a.Updates, err = e.Search(ctx, q, len(args) > 2)
	case "download":
		a.Results, err = e.Download(ctx, ids)
	case "install", "agree":
		a.Results, err = e.Install(ctx, ids, args[0] == "agree")
	case "uninstall":
		a.Results, err = e.Uninstall(ctx, ids)
	case "history":
		most, _ := strconv.Atoi(args[1])
		a.Events, err = e.History(ctx, most)
	case "state":
		a.State, err = e.State(ctx)
	case "abandon":
		return abandon(ctx, e, ids)
	default:
		return fmt.Errorf("what is %s?", args[0])
	}
	return err
}

// abandon stops waiting for an installation that hangs. The engine is busy from then on, and closing it
// takes no time.
func abandon(ctx context.Context, e provider.Engine, ids []provider.EngineID) error {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for {
			if _, err := os.Stat(`C:\bed\started`); err == nil {
				cancel()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if _, err := e.Install(ctx, ids, false); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("it was cancelled and ended with %v", err)
	}
	if _, err := e.State(context.Background()); !errors.Is(err, provider.ErrBusy) {
		return fmt.Errorf("it hangs, and says %v", err)
	}
	closed := make(chan struct{})
	go func() { e.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(4 * time.Second):
		return errors.New("closing it takes for ever")
	}
	if _, err := e.State(context.Background()); err == nil || errors.Is(err, provider.ErrBusy) {
		return fmt.Errorf("closed, it says %v", err)
	}
	return nil
}
