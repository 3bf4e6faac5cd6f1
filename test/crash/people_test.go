package crash

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"patchbay/agent/link"
	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// offered is the machine, with updates on offer for items of it.
func (w *world) offered(items ...string) *machine {
	m := w.machine("one")
	for _, i := range items {
		m.Offers[i] = "1.1"
	}
	m.scan()
	w.tells(m)
	return m
}

// tells has a machine say all there is to say.
func (w *world) tells(m *machine) { w.do(m.name+" tells", m.tell) }

// joins has a person make a token and a machine enrol with it.
func (w *world) joins(m *machine) {
	token := ""
	w.do(m.name+" joins", func() (err error) {
		if token == "" {
			if token, err = w.token(); err != nil {
				return err
			}
		}
		return m.enrol(token)
	})
}

// hears has a machine check in until it is ordered something, as it does every minute.
func (w *world) hears(m *machine) {
	w.isWished(m, 1)
}

// isWished has a machine check in until it is wished jobs, or none.
func (w *world) isWished(m *machine, least int) {
	for try := 1; ; try++ {
		w.tells(m)
		if n := len(m.wished()); n >= least && (n == 0) == (least == 0) {
			return
		}
		if try == 5 && !w.rough {
			w.must(fmt.Errorf("%s is still ordered %v", m.name, m.wished()))
		}
		w.pass(time.Minute)
		w.settle()
	}
}

// works has a machine do what it was ordered, and tell.
func (w *world) works(m *machine, failing ...string) {
	m.begin()
	w.tells(m)
	m.finish(failing...)
	w.tells(m)
	w.tells(m)
}

// listens has a machine hold the wake-up channel until this life of the server ends.
func (w *world) listens(m *machine) {
	ctx, cancel := context.WithCancel(w.t.Context())
	calls := make(chan struct{}, 100)
	over := make(chan error, 1)
	go func() {
		over <- m.link.Listen(ctx, link.Stream{Boot: m.Boot, Beat: 10 * time.Second, Now: w.now, Call: func() { calls <- struct{}{} }})
	}()
	m.calls, m.over, m.deafen = calls, over, cancel
	for !w.server.Engine.Bus.Awaited(m.id.Agent) && len(over) == 0 {
		time.Sleep(time.Millisecond)
	}
}

// called waits until a machine was called, or the channel was cut.
func (w *world) called(m *machine) {
	w.pass(2 * time.Minute)
	w.settle()
	select {
	case <-m.calls:
	case <-m.over:
		if !w.cutOff() {
			w.fault("the channel ended by itself")
		}
	case <-time.After(20 * time.Second):
		w.fault("the machine was never called")
	}
	m.deafen()
}

func (w *world) client() *client.Client {
	console, _ := w.server.Addresses()
	c, err := client.New("http://"+console.String(), w.key, nil)
	w.must(err)
	return c
}

// asks is a request of the person.
func asks[T any](w *world, method, path string, in any) (out T, err error) {
	_, err = w.client().Do(w.t.Context(), method, path, nil, in, &out)
	return out, err
}

// token has the person make an enrolment token for one machine.
func (w *world) token() (string, error) {
	made, err := asks[view.NewToken](w, "POST", "/sites/"+w.site+"/tokens", api.TokenWish{Uses: 1, Hours: 24, Mode: wire.Manage})
	if err != nil {
		return "", err
	}
	w.promised("of a token", func(s *store.Store) bool {
		rows, err := s.MSP(who).Tokens(w.t.Context())
		return err == nil && slices.ContainsFunc(rows, func(r store.Token) bool { return r.ID == made.ID })
	})
	_, token, _ := strings.Cut(made.SecretLine, "--token ")
	return token, nil
}

func (w *world) promised(what string, held func(*store.Store) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.promises = append(w.promises, promise{what, held})
}

// changes has the person change something that may be changed twice.
func (w *world) changes(what, method, path string, in any, held func(*store.Store) bool) {
	w.do("a person changes "+what, func() error {
		_, err := asks[map[string]any](w, method, path, in)
		if err == nil && held != nil {
			w.promised(what, held)
		}
		return err
	})
}

// standing are the answers that stand for an item of a machine.
func (w *world) standing(m *machine, item string) (all []view.Approval, err error) {
	page, err := client.List[view.Approval](w.t.Context(), w.client(), "/approvals", url.Values{"open": {"true"}}, 0)
	for _, a := range page.Items {
		if a.Target == m.id.Device && a.Name == item {
			all = append(all, a)
		}
	}
	return all, err
}

// answers has the person answer what a machine has on offer. Who got no answer looks first
// whether it was heard.
func (w *world) answers(m *machine, item string, answer store.Answer) {
	w.do(fmt.Sprintf("a person says %s to %s", answer, item), func() error {
		given, err := w.standing(m, item)
		if err != nil {
			return err
		}
		if len(given) == 1 && given[0].Answer == string(answer) {
			return nil
		}
		wish := api.ApprovalWish{Level: "device", Target: m.id.Device, What: api.ApprovalTarget{Need: view.NeedID(m.id.Device, itemKey(item))}, Answer: string(answer)}
		if answer == store.Reject {
			wish.Reason = "it breaks the till"
		}
		done, err := asks[api.Approved](w, "POST", "/approvals", wish)
		if err != nil {
			return err
		}
		for _, a := range done.Approvals {
			w.promised("of an answer", func(s *store.Store) bool {
				rows, err := s.MSP(who).Approvals(w.t.Context(), store.ApprovalFilter{ID: a.ID})
				return err == nil && len(rows) == 1
			})
		}
		return nil
	})
}

// withdraws has the person take back what was answered.
func (w *world) withdraws(m *machine, item string) {
	w.do("a person withdraws an answer", func() error {
		given, err := w.standing(m, item)
		if err != nil || len(given) == 0 {
			return err
		}
		if _, err := asks[any](w, "DELETE", "/approvals/"+given[0].ID, nil); err != nil {
			return err
		}
		w.promised("that an answer is withdrawn", func(s *store.Store) bool {
			rows, err := s.MSP(who).Approvals(w.t.Context(), store.ApprovalFilter{ID: given[0].ID, Open: true})
			return err == nil && len(rows) == 0
		})
		return nil
	})
}

// retries has the person try again what failed. Who got no answer looks first.
func (w *world) retries(m *machine, item string) {
	need := "/needs/" + view.NeedID(m.id.Device, itemKey(item))
	w.do("a person tries again", func() error {
		shown, err := client.Get[view.NeedDetail](w.t.Context(), w.client(), need, nil)
		if err != nil || shown.Job != nil {
			return err
		}
		_, err = asks[any](w, "POST", need+"/retry", nil)
		return err
	})
}

// retires has the person retire a device.
func (w *world) retires(m *machine) {
	w.do("a person retires a device", func() error {
		_, err := w.client().Do(w.t.Context(), "DELETE", "/devices/"+m.id.Device, url.Values{"confirm": {m.name}}, nil, nil)
		var missing *client.Problem
		if errors.As(err, &missing) && missing.Status == 404 {
			return nil // it was heard the first time
		}
		if err == nil {
			w.promised("that a device is retired", func(s *store.Store) bool {
				d, err := s.Customer(who, w.customer).Device(w.t.Context(), m.id.Device)
				return err == nil && d.RetiredAt != nil
			})
		}
		return err
	})
}
