package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"patchbay/server/access"
	"patchbay/server/content"
	"patchbay/server/store"
)

// Problem is a refusal as RFC 9457 writes it. Its sentences say what to change and never
// repeat what was sent, which may be a secret.
type Problem struct {
	Type   string         `json:"type" doc:"about:blank, code-required, totp-required, or setup-done"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail,omitempty"`
	Errors []ProblemField `json:"errors,omitempty"`
	wait   int            // seconds, for Retry-After
}

// ProblemField is what is wrong with one field.
type ProblemField struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

// The problem types a client acts on.
const (
	plain        = "about:blank"
	codeRequired = "code-required"
	totpRequired = "totp-required"
)

// Error gives the sentence.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders gives Retry-After where waiting helps.
func (p *Problem) GetHeaders() http.Header {
	if p.wait == 0 {
		return nil
	}
	return http.Header{"Retry-After": {fmt.Sprint(p.wait)}}
}

// ContentType is the one of problems.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func problem(status int, detail string) *Problem {
	return &Problem{Type: plain, Title: http.StatusText(status), Status: status, Detail: detail}
}

// wrong refuses one field of a body.
func wrong(field, message string) *Problem {
	p := problem(http.StatusUnprocessableEntity, message)
	p.Errors = []ProblemField{{"body." + field, message}}
	return p
}

func notFound() *Problem {
	return problem(http.StatusNotFound, "There is no such thing, or no longer.")
}

// problemOf turns any error of a handler into a problem. What nobody foresaw is logged
// whole and answered without its text.
func (s *Server) problemOf(ctx context.Context, err error) error {
	var p *Problem
	var many *access.TooManyError
	var refusal *store.Refusal
	var file *content.Refusal
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &many):
		p = problem(http.StatusTooManyRequests, "Too many attempts. Wait a few minutes and try again.")
		p.wait = int(many.Wait.Seconds()) + 1
		return p
	case errors.Is(err, store.ErrNotFound):
		return notFound()
	case errors.Is(err, store.ErrExists):
		return problem(http.StatusConflict, "Another one has this name already: choose a different one.")
	case errors.As(err, &refusal):
		return problem(http.StatusConflict, refusal.Sentence)
	case errors.As(err, &file):
		return refusedContent(file)
	case ctx.Err() != nil:
		return problem(http.StatusServiceUnavailable, "The request was given up before it was done.")
	}
	s.log.Error("request failed", "error", err)
	return problem(http.StatusInternalServerError, "Something went wrong in the server. Its log says what.")
}

// cleaned is the last thing that sees an answer: it rewrites the framework's refusals,
// which repeat rejected values, into problems, which do not.
func cleaned(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := problem(m.Status, "")
	switch {
	case m.Status >= 500:
		p.Detail = "Something went wrong in the server. Its log says what."
		return p, nil
	case m.Status == http.StatusBadRequest:
		p.Detail = "The body cannot be read: send one JSON object with the fields of the API's document."
	case m.Status == http.StatusUnsupportedMediaType:
		p.Detail = "Send the body as application/json."
	case m.Status == http.StatusRequestEntityTooLarge:
		p.Detail = "The body is too large."
	default:
		p.Detail = "Some fields cannot be accepted: change what is named in errors."
	}
	for _, e := range m.Errors {
		if e != nil {
			p.Errors = append(p.Errors, cleanedField(*e))
		}
	}
	return p, nil
}

// The framework's own messages that carry nothing of what was sent.
var harmless = regexp.MustCompile(`^(expected (boolean|number|integer|string|array|object)$|expected (number|length|array length|array items|required property|string to be a|string to be an|string to match pattern|value to be one of)|unexpected property$|required (path|query|header) parameter is missing$|invalid (integer|float|boolean)$)`)

func cleanedField(e huma.ErrorDetail) ProblemField {
	f := ProblemField{Location: e.Location, Message: e.Message}
	if e.Message == "unexpected property" {
		// The last part of the location is a name that the client made up.
		f.Location = "body"
		f.Message = "has a field that is not known here"
	}
	if !harmless.MatchString(e.Message) {
		f.Message = "is not acceptable"
		if e.Location == "body" {
			f.Message = "is not JSON of the expected form"
		}
	}
	if !knownLocation.MatchString(f.Location) {
		f.Location, _, _ = strings.Cut(f.Location, ".")
		if !knownLocation.MatchString(f.Location) {
			f.Location = "request"
		}
	}
	return f
}

var knownLocation = regexp.MustCompile(`^(body|query|path|header)([.\[][a-z_0-9\]]{1,40}){0,6}$`)

// writeProblem answers with a problem outside the framework.
func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone
}
