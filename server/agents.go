package server

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"patchbay/server/api/agentapi"
)

// ticketDays is for how many days before today's the keys of session tickets are known: as
// long as TLS lets a ticket live.
const ticketDays = 7

// agentDoor opens the agents' listener. Their HTTP is 1.1 alone: an agent has two
// connections for two streams, and HTTP/2 would cost memory for nothing.
func (s *Server) agentDoor() (net.Listener, error) {
	config, err := agentTLS(s)
	if err != nil {
		return nil, err
	}
	config.NextProtos = []string{"http/1.1"}
	if err := s.setTickets(config); err != nil {
		return nil, err
	}
	door := agentapi.NewDoor(s.AgentLimits, time.Now)
	config.GetConfigForClient = door.Hello
	s.agents.ConnState = door.State
	s.tickets = config
	return tls.NewListener(door.Listener(s.agentsL), config), nil
}

// keepTickets renews the keys of session tickets until ctx ends.
func (s *Server) keepTickets(ctx context.Context) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := s.setTickets(s.tickets); err != nil {
				s.Log.Error(err.Error())
			}
		}
	}
}

func (s *Server) setTickets(config *tls.Config) error {
	keys, err := ticketKeys(s.Authority.Secret(), s.Now())
	if err != nil {
		return err
	}
	config.SetSessionTicketKeys(keys)
	return nil
}

// ticketKeys are made from the installation's secret and the day, so that a fleet that lost
// its server resumes with the restarted one, or with another of the same installation, and
// spares both the dearest part of shaking hands. The first key is today's. A ticket opens
// nothing by itself: each request is judged by what the store says of its agent.
func ticketKeys(secret []byte, now time.Time) ([][32]byte, error) {
	keys := make([][32]byte, ticketDays+1)
	for i := range keys {
		day := now.UTC().AddDate(0, 0, -i).Format(time.DateOnly)
		key, err := hkdf.Key(sha256.New, secret, nil, "patchbay/tls-tickets/"+day, 32)
		if err != nil {
			return nil, fmt.Errorf("making keys for TLS session tickets: %w", err)
		}
		keys[i] = [32]byte(key)
	}
	return keys, nil
}
