package server

import (
	"net/http"

	"patchbay/server/effect"
)

// answering stands around each piece of an answer: all of one in most, an event in a stream.
// A piece that fails breaks the answer off, as a cut connection does.
func answering(h http.Handler, around effect.Around) http.Handler {
	if around == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w, what: "answer to " + r.Method + " " + r.URL.Path, around: around}
		h.ServeHTTP(a, r)
		if !a.begun {
			a.say(nil)
		}
	})
}

// answer is one that is being given. What is said is on its way when say returns, so that
// ending the server after it does not take it back.
type answer struct {
	http.ResponseWriter
	what   string
	around effect.Around
	begun  bool
}

// Write says a piece.
func (a *answer) Write(p []byte) (int, error) { return len(p), a.say(p) }

func (a *answer) say(p []byte) error {
	a.begun = true
	err := a.around.Do(a.what, func() error {
		_, err := a.ResponseWriter.Write(p)
		if err == nil {
			err = http.NewResponseController(a.ResponseWriter).Flush()
		}
		return err
	})
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// Unwrap gives the writer behind, for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
