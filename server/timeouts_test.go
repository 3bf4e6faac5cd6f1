package server

import (
	"log/slog"
	"net/http"
	"testing"
)

// Slow headers, slow bodies, slow readers and silence all end.
func TestNoConnectionMayLastForever(t *testing.T) {
	s := &Server{Options: Options{Log: slog.New(slog.DiscardHandler)}}
	h := s.httpServer(http.NotFoundHandler())
	if h.ReadHeaderTimeout == 0 || h.ReadTimeout == 0 || h.WriteTimeout == 0 || h.IdleTimeout == 0 || h.MaxHeaderBytes == 0 {
		t.Errorf("the server waits without end: %+v", h)
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	o := Options{Data: t.TempDir(), Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0"}
	for name, change := range map[string]func(*Options){
		"listen":      func(o *Options) { o.Listen = "192.0.2.255:99999" },
		"database":    func(o *Options) { o.Database = "mysql://x" },
		"certificate": func(o *Options) { o.Certificate.Mode = "maybe" },
		"address":     func(o *Options) { o.PublicURL = "patch.example" },
		"path":        func(o *Options) { o.PublicURL = "https://patch.example/console" },
	} {
		bad := o
		change(&bad)
		if s, err := New(t.Context(), bad); err == nil || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
