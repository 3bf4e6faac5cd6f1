package api

import (
	"errors"
	"net/http"
	"testing"

	"patchbay/server/store"
)

// A refusal is the caller's to mend, whatever kind it is, and says how.
func TestRefusalsAreNotTheServersFault(t *testing.T) {
	s := &Server{}
	p, ok := s.problemOf(t.Context(), &store.Refusal{Kind: errors.New("of some kind"), Sentence: "Do it differently."}).(*Problem)
	if !ok || p.Status != http.StatusConflict || p.Detail != "Do it differently." {
		t.Errorf("%+v", p)
	}
}
