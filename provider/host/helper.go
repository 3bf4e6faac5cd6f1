package host

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"patchbay/patch"
)

// HelperCommand is the word of the agent's command line with which it starts itself in somebody's
// session, to do there what a service cannot: one request on its input, one reply on its output,
// a line of JSON each. It has the rights of whoever is logged in, who may put anything in its
// place: a reply is bounded and only ever names one of the choices that were offered.
const HelperCommand = "session"

// The bounds of one line.
const (
	maxRequest = 64 << 10
	maxReply   = 4 << 10
	mostWords  = 200 // letters of a problem
	mostOffer  = 10  // choices
)

// helperRequest is what a helper is to do: one of these.
type helperRequest struct {
	Ask   *helperQuestion `json:"ask,omitempty"`
	Look  bool            `json:"look,omitempty"`  // whether somebody presents
	Close uint32          `json:"close,omitempty"` // ask the windows of this process to close
}

type helperQuestion struct {
	Text    string   `json:"text"`
	Choices []string `json:"choices"`
	Seconds int      `json:"seconds"` // how long it is shown
}

// helperReply is what came of it.
type helperReply struct {
	Choice     *int         `json:"choice,omitempty"` // of a question; left out when there was no answer
	Presenting patch.Answer `json:"presenting,omitempty"`
	Windows    int          `json:"windows,omitempty"` // that were asked to close
	Problem    string       `json:"problem,omitempty"`
}

// parseReply reads what a helper said to a request. What is not an answer to it is an error.
func parseReply(line []byte, to helperRequest) (helperReply, error) {
	var r helperReply
	if len(line) > maxReply {
		return helperReply{}, errors.New("the helper in the session says too much")
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || d.More() {
		return helperReply{}, errors.New("the helper in the session says nothing that is understood")
	}
	offered := 0
	if to.Ask != nil {
		offered = len(to.Ask.Choices)
	}
	switch {
	case r.Problem != "":
		return helperReply{}, fmt.Errorf("the helper in the session says: %s", plainWords(r.Problem))
	case r.Choice != nil && (*r.Choice < 0 || *r.Choice >= offered):
		return helperReply{}, errors.New("the helper in the session gives an answer that was not offered")
	case r.Presenting != patch.Unknown && (!to.Look || r.Presenting != patch.Yes && r.Presenting != patch.No):
		return helperReply{}, errors.New("the helper in the session says what it was not asked")
	case r.Windows < 0 || r.Windows > 0 && to.Close == 0:
		return helperReply{}, errors.New("the helper in the session says what it was not asked")
	}
	return r, nil
}

// plainWords cuts what a helper says to a sentence that can be shown.
func plainWords(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, text)
	if words := []rune(text); len(words) > mostWords {
		text = string(words[:mostWords]) + "…"
	}
	return text
}

// Help is the helper's own side: it reads one request, does it, and says what came of it.
func Help(in io.Reader, out io.Writer) error {
	line, err := bufio.NewReader(io.LimitReader(in, maxRequest)).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("reading what to do: %w", err)
	}
	var request helperRequest
	if err := json.Unmarshal(line, &request); err != nil {
		return fmt.Errorf("reading what to do: %w", err)
	}
	reply, err := help(request)
	if err != nil {
		reply = helperReply{Problem: err.Error()}
	}
	return json.NewEncoder(out).Encode(reply)
}

// help does what is asked in the session that this process runs in.
func help(r helperRequest) (helperReply, error) {
	switch {
	case r.Ask != nil && (len(r.Ask.Choices) == 0 || len(r.Ask.Choices) > mostOffer):
		return helperReply{}, errors.New("a question needs one to ten choices")
	case r.Ask != nil:
		choice, err := showQuestion(*r.Ask)
		if err != nil || choice < 0 {
			return helperReply{}, err
		}
		return helperReply{Choice: &choice}, nil
	case r.Look:
		return helperReply{Presenting: presenting()}, nil
	case r.Close != 0:
		n, err := closeWindows(r.Close)
		return helperReply{Windows: n}, err
	}
	return helperReply{}, errors.New("nothing to do")
}
