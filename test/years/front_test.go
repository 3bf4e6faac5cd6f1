package years

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"patchbay/wire"
)

// trouble is what happens to one exchange.
type trouble string

const (
	smooth   trouble = ""
	unasked  trouble = "the question is lost"
	unheard  trouble = "the answer is lost"
	doubled  trouble = "the question comes twice"
	replayed trouble = "an old answer comes"
	crashed  trouble = "the server is killed before it answers"
)

// serve answers one device, with all that the network does on the way.
func (d *device) serve() *http.Server {
	s := &http.Server{Handler: http.HandlerFunc(d.between), TLSConfig: d.w.server.config, ErrorLog: log.New(io.Discard, "", 0), IdleTimeout: 3 * time.Minute}
	go s.ServeTLS(d.wires, "", "")
	return s
}

// between carries one question to the server and its answer back. It has the turn of whoever
// asked, and gives it back with the answer.
func (d *device) between(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if strings.HasSuffix(r.URL.Path, "/wake") {
		http.NotFound(w, r)
		return
	}
	l, name := d.life, d.name+r.URL.Path
	d.asking++
	asked := d.w.stage.lend(name, time.Duration(1+d.w.pick(3000))*time.Millisecond)
	reply := d.exchange(r, body)
	d.asking--
	if l != nil && l.isDead() {
		d.w.stage.leave(name)
		panic(http.ErrAbortHandler)
	}
	d.w.stage.pass(asked)
	if reply == nil {
		panic(http.ErrAbortHandler)
	}
	for k, v := range reply.Header() {
		w.Header()[k] = v
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(reply.Code)
	w.Write(reply.Body.Bytes())
}

// exchange has the server answer; nil is no answer.
func (d *device) exchange(r *http.Request, body []byte) *httptest.ResponseRecorder {
	t := smooth
	if strings.HasSuffix(r.URL.Path, "/checkin") && !d.w.calm {
		t = d.w.trouble(d)
	}
	if t == unasked || d.w.server.core == nil || time.Now().Before(d.lost) {
		return nil
	}
	reply := d.ask(r, body)
	switch t {
	case doubled:
		reply = d.ask(r, body)
	case crashed:
		d.w.server.crash()
		return nil
	case unheard:
		return nil
	case replayed:
		if n := len(d.replies); n > 0 {
			old := httptest.NewRecorder()
			old.Body.Write(d.replies[d.w.pick(n)])
			return old
		}
	}
	switch {
	case !strings.HasSuffix(r.URL.Path, "/checkin"):
	case reply.Code == http.StatusOK:
		d.slow(reply)
		d.leapt, d.heard = false, time.Now()
	case reply.Code == http.StatusConflict:
		d.patient(reply)
	}
	return reply
}

// ask has the server answer once, and holds what was said to the laws.
func (d *device) ask(r *http.Request, body []byte) *httptest.ResponseRecorder {
	core := d.w.server.core
	again := r.Clone(r.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	reply := httptest.NewRecorder()
	checkIn := strings.HasSuffix(r.URL.Path, "/checkin")
	if checkIn {
		d.w.oracle.says(d, checkInOf(r, body))
	}
	core.handler.ServeHTTP(reply, again)
	core.kick()
	if checkIn {
		d.w.figures.CheckIns++
		if reply.Code != http.StatusOK {
			d.w.note("%s: answered with %d", d.name, reply.Code)
		} else {
			d.w.oracle.answered(d, reply.Body.Bytes())
		}
	}
	return reply
}

func checkInOf(r *http.Request, body []byte) (in wire.CheckIn) {
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(z)
		}
		if err != nil {
			return in
		}
	}
	_ = json.Unmarshal(body, &in) // what cannot be read, the server refuses
	return in
}

// patient rewrites when an agent that is doubted is to ask again: as soon as it can be sure.
func (d *device) patient(reply *httptest.ResponseRecorder) {
	var said wire.Doubt
	d.w.must(json.Unmarshal(reply.Body.Bytes(), &said))
	said.Next = 80
	data, err := json.Marshal(said)
	d.w.must(err)
	reply.Body = bytes.NewBuffer(data)
}

// slow rewrites when the agent is to check in next, and keeps some answers for later.
func (d *device) slow(reply *httptest.ResponseRecorder) {
	var said wire.Reply
	d.w.must(json.Unmarshal(reply.Body.Bytes(), &said))
	said.Next = int(d.w.rhythm().Seconds())
	data, err := json.Marshal(said)
	d.w.must(err)
	reply.Body = bytes.NewBuffer(data)
	if len(d.replies) < 20 {
		d.replies = append(d.replies, data)
	} else {
		d.replies[d.w.pick(len(d.replies))] = data
	}
}
