package agentapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"patchbay/patch"
	"patchbay/server/rival"
	"patchbay/wire"
)

// ask is how soon a machine of which it is not sure who it is should ask again.
const ask = 15 * time.Second

// recognise finds out whether a message is from the machine on record. When it is not sure,
// it gives the doubt to answer with: nothing is taken from the message then, and nothing
// ordered. The most frequent message, of the machine on record with nothing new, costs no
// look into the store.
func (a *API) recognise(ctx context.Context, s *session, in *wire.CheckIn, reply *wire.Reply, now time.Time) (*wire.Doubt, error) {
	claim := rival.Claim{Boot: in.BootID, Nonce: in.Nonce}
	if r := s.record; r.Boot != "" && r.Boot == claim.Boot && (r.Nonce == claim.Nonce || claim.Nonce == "") && r.Fresh(now) && !r.Open() {
		s.record.Heard = now
		return nil, nil
	}
	heard := s.record.Heard // fresher than what is written every second
	spoken, err := a.Store.Customer(who(s), s.customer).Speak(ctx, now, s.agent, claim.Boot, patch.NewID("non"), patch.NewID("wrd"),
		func(r rival.Record) rival.Decision {
			if heard.After(r.Heard) {
				r.Heard = heard
			}
			return rival.Hear(r, claim, now, rival.Grace(a.Next, r.Heard, now))
		})
	if err != nil {
		return nil, err
	}
	s.record = spoken.Record
	if spoken.Changed {
		a.tellMoved(s.agent)
	}
	a.signal(s, spoken.Sign)
	if spoken.Answer == rival.Accept {
		if claim.Nonce != spoken.Record.Nonce {
			reply.Nonce = spoken.Record.Nonce
		}
		return nil, nil
	}
	next := min(ask, max(a.Next/4, time.Second))
	return &wire.Doubt{Version: wire.Version, Next: int(next.Seconds()), Become: spoken.Word,
		Why: "Another machine with this machine's key was heard not long ago. It is being found out which of them is which; until then this one is given no work."}, nil
}

// signal calls the machine on record when another appeared, and tells the log what people
// find in the audit chain.
func (a *API) signal(s *session, sign rival.Sign) {
	for device := range s.devices {
		switch sign {
		case rival.Appeared:
			a.Engine.CheckInNow(device)
		case rival.Restored:
			a.Log.Warn("a device's state was set back, as by restoring a snapshot: it is read anew", "device", device)
			a.Engine.Received(s.customer, []string{device})
		case rival.Copied:
			a.Log.Warn("another machine speaks with a device's key: it becomes a device of its own", "device", device)
		}
	}
}

// doubtful answers with a doubt.
func doubtful(w http.ResponseWriter, d *wire.Doubt) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusConflict)
	json.NewEncoder(w).Encode(d)
}
