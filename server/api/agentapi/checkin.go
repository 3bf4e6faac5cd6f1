package agentapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"patchbay/server/store"
	"patchbay/wire"
)

// checkIn takes what an agent says and answers what is wanted of it.
func (a *API) checkIn(w http.ResponseWriter, r *http.Request, s *session) {
	var in wire.CheckIn
	if err := decode(r, wire.MaxCheckIn, &in); err != nil {
		refuse(w, err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkMessage(&in, s); err != nil {
		refuse(w, err)
		return
	}
	now := a.Now()
	reply := wire.Reply{Version: wire.Version, Time: now, Next: int(a.Next.Seconds()), Reconnect: a.reconnect()}
	doubt, err := a.recognise(r.Context(), s, &in, &reply, now)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if doubt != nil {
		doubtful(w, doubt)
		return
	}
	if s.changed(&in, now) {
		err = a.receive(r.Context(), s, &in, now)
	} else {
		a.heard(s, &in, now)
	}
	if errors.Is(err, store.ErrRefused) {
		s.gone = true
		a.lines.end(s.agent)
		problem(w, http.StatusForbidden, err.Error())
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if reply.Documents, err = a.documents(r.Context(), s, &in, now); err != nil {
		a.fail(w, r, err)
		return
	}
	reply.Acknowledged = s.acked
	if reply.Holds, err = a.holds(r.Context(), s, &in); err != nil {
		a.fail(w, r, err)
		return
	}
	orders, version, err := a.Engine.Orders(r.Context(), s.agent)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if version.Newer(in.Seen) {
		stands, err := a.stands(r.Context(), s)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if !stands {
			a.busy(w)
			return
		}
		reply.Orders = orders
	}
	s.sent = version
	answer(w, reply)
}

// stands asks, before something is ordered, whether the machine is still the one to order it
// from: another server may have revoked it, or put another machine on record, and its notice
// be on its way. A server that is alone knows.
func (a *API) stands(ctx context.Context, s *session) (bool, error) {
	if !a.Store.Shared() {
		return true, nil
	}
	stands, err := a.Store.Customer(who(s), s.customer).Stands(ctx, s.agent, s.record.Boot)
	if err == nil && !stands {
		a.sessions.moved(s.agent)
	}
	return stands, err
}

// changed reports whether the message says anything that is not known already.
func (s *session) changed(in *wire.CheckIn, now time.Time) bool {
	if len(in.Outcomes) > 0 || (clockOff(in, now)-s.stored).Abs() > leapt || !s.said.equal(saidNow(in)) {
		return true
	}
	for i := range in.Devices {
		d := &in.Devices[i]
		held := s.devices[d.Device]
		if len(d.Sections) > 0 || jobsText(d.Jobs) != held.jobs {
			return true
		}
	}
	return false
}

func jobsText(jobs []wire.JobStep) string {
	if len(jobs) == 0 {
		return ""
	}
	text, _ := json.Marshal(jobs) // strings and times always encode
	return string(text)
}

// heard notes an agent that said nothing new.
func (a *API) heard(s *session, in *wire.CheckIn, now time.Time) {
	for i := range in.Devices {
		d := &in.Devices[i]
		touch := store.Touch{Agent: s.agent, LastSeen: now, Device: d.Device}
		if d.Digest == s.devices[d.Device].digest {
			touch.Digest, touch.ScannedAt = d.Digest, store.ServerTime(d.ScannedAt, in.Sent, now)
		}
		a.touches.add(touch)
	}
}

// receive stores what is new in one transaction; only then is anything acknowledged.
func (a *API) receive(ctx context.Context, s *session, in *wire.CheckIn, now time.Time) error {
	done, err := a.Store.Customer(who(s), s.customer).Receive(ctx, now, *in)
	if err != nil {
		return err
	}
	s.known.Store(now.UnixMilli())
	s.acked, s.stored = done.Acknowledged, clockOff(in, now)
	s.said = saidNow(in)
	var due []string
	for i, d := range done.Devices {
		held := s.devices[d.Device]
		held.jobs, held.digest = jobsText(in.Devices[i].Jobs), d.Held.Digest
		a.Engine.Heard(d.Device, now)
		for _, odd := range d.Odd {
			a.Log.Warn("a check-in was not taken as it came", "device", d.Device, "odd", odd)
		}
		due = append(due, d.Device)
	}
	for _, o := range done.Outcomes {
		due = append(due, o.Device)
	}
	if a.Engine.Received(s.customer, due); len(due) == 0 {
		a.tellMoved(s.agent)
	}
	return nil
}

// holds says what the server holds of the devices whose agent believes otherwise.
func (a *API) holds(ctx context.Context, s *session, in *wire.CheckIn) ([]wire.Held, error) {
	var all []wire.Held
	for i := range in.Devices {
		d := &in.Devices[i]
		held := s.devices[d.Device]
		if held.digest == d.Digest {
			continue
		}
		h := a.Store.Customer(who(s), s.customer)
		row, err := h.Device(ctx, d.Device)
		if err != nil {
			return nil, err
		}
		if held.digest = row.Digest; held.digest == d.Digest { // another server took it
			continue
		}
		hashes, err := h.SectionHashes(ctx, d.Device)
		if err != nil {
			return nil, err
		}
		all = append(all, wire.Held{Device: d.Device, Digest: held.digest, Sections: hashes})
	}
	return all, nil
}

func who(s *session) store.Who { return store.Who{ID: "agent:" + s.agent, Name: "agent"} }
