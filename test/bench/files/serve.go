package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"time"

	"patchbay/patch"
	"patchbay/server"
	"patchbay/server/content"
	"patchbay/server/store"
	"patchbay/wire"
)

// servers runs Patchbay's server with one file that its catalogue names, and a plain one
// beside it.
func servers(ctx context.Context, dir string, size int64) (err error) {
	token, err := server.Bootstrap(ctx, server.FirstSite{Data: dir, Customer: "C", Site: "S", Zone: "UTC", Mode: string(wire.Observe), Now: time.Now()})
	if err != nil {
		return err
	}
	s, err := server.New(ctx, server.Options{Data: dir, Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0", Version: "bench"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(data) // never fails
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if err := s.Shelf.Add(ctx, store.Who{ID: "system", Name: "the bench"}, content.File{SHA256: hash, Size: size, Name: "file"}, bytes.NewReader(data)); err != nil {
		return err
	}
	s.SetCatalog([]patch.Package{{Name: "Tool", Releases: []patch.Release{{Version: "1", Installers: []patch.Installer{{SHA256: hash}}}}}})
	plain, address, err := plainServer(s)
	if err != nil {
		return err
	}
	go plain.ServeTLS(address, "", "") // until it is closed
	defer plain.Close()
	if err := json.NewEncoder(os.Stdout).Encode(told{s.AgentURL, "https://" + address.Addr().String(), token, hash}); err != nil {
		return err
	}
	return s.Run(ctx)
}

// plainServer is Go's own file server, with the same certificates asked of both sides.
func plainServer(s *server.Server) (*http.Server, net.Listener, error) {
	cert, err := s.Authority.ServerCertificate([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	return &http.Server{Handler: http.FileServer(http.Dir(s.Shelf.Path)), TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13,
		Certificates: []tls.Certificate{*cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: s.Authority.Pool(),
		NextProtos: []string{"http/1.1"}}, TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}, l, err
}
