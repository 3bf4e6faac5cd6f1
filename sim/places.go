package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"patchbay/window"
	"patchbay/wire"
)

// API is the server's side for people, used with one person's API key.
type API struct {
	URL    string
	Key    string
	Client *http.Client
}

// Settle makes the customers and sites of this part of the fleet on the server, with an
// enrolment token for each site that has machines.
func (s *Simulator) Settle(ctx context.Context, api API) error {
	uses := map[int]int{}
	for i, d := range s.fleet.Devices {
		if s.Mine(i) {
			uses[d.Site]++
		}
	}
	tokens, customers := map[int]string{}, map[int]string{}
	for number, site := range s.fleet.Sites {
		if uses[number] == 0 {
			continue
		}
		if customers[site.Customer] == "" {
			id, err := api.made(ctx, "/customers", map[string]any{"name": s.fleet.Customers[site.Customer].Name})
			if err != nil {
				return err
			}
			customers[site.Customer] = id
		}
		token, err := api.settle(ctx, customers[site.Customer], site, uses[number])
		if err != nil {
			return err
		}
		tokens[number] = token
	}
	s.options.Tokens = tokens
	return nil
}

// settle makes one site with a token.
func (a API) settle(ctx context.Context, customer string, site Site, uses int) (string, error) {
	auto := "by_hand"
	if site.Auto {
		auto = "security"
	}
	id, err := a.made(ctx, "/customers/"+customer+"/sites", map[string]any{"name": site.Name, "zone": site.Zone,
		"policy": map[string]any{"auto": auto, "reboots": map[string]any{"when": rebootWhen(site), "deadline_hours": 24, "daily": 0}, "windows": windows(site.Windows)}})
	if err != nil {
		return "", err
	}
	var token struct {
		Line string `json:"secret_line"`
	}
	if err := a.ask(ctx, http.MethodPost, "/sites/"+id+"/tokens", map[string]any{"uses": min(uses, 1000), "mode": "manage", "hours": 720,
		"note": "simulated machines"}, &token); err != nil {
		return "", err
	}
	words := strings.Fields(token.Line)
	if i := slices.Index(words, "--token"); i >= 0 && i+1 < len(words) {
		return words[i+1], nil
	}
	return "", errors.New("the server answered without a token")
}

// rebootWhen says when machines of a site may restart. Nobody is logged in on a simulated one:
// asking is the window there.
func rebootWhen(site Site) wire.RebootWhen {
	switch {
	case !site.Reboot:
		return wire.RebootNever
	case site.Auto:
		return wire.RebootWindow
	}
	return wire.RebootAsk
}

// windows are told to the API without their zone, which is the site's.
func windows(all []window.Weekly) []map[string]any {
	var out []map[string]any
	for _, w := range all {
		out = append(out, map[string]any{"days": w.Days, "start": w.Start, "minutes": w.Minutes})
	}
	return out
}

// made makes something and gives its ID.
func (a API) made(ctx context.Context, path string, body any) (string, error) {
	var made struct {
		ID string `json:"id"`
	}
	if err := a.ask(ctx, http.MethodPost, path, body, &made); err != nil {
		return "", err
	}
	if made.ID == "" {
		return "", fmt.Errorf("asking %s: the server answered without an ID", path)
	}
	return made.ID, nil
}

const apiTime = time.Minute

func (a API) ask(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, apiTime)
	defer cancel()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("asking %s: %w", path, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(a.URL, "/")+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("asking %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+a.Key)
	res, err := a.Client.Do(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w", path, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("asking %s: %w", path, err)
	}
	if res.StatusCode >= 300 {
		var p struct {
			Detail string `json:"detail"`
		}
		_ = json.Unmarshal(answer, &p) // the status says enough where there is no sentence
		return fmt.Errorf("asking %s: the server answered %s: %s", path, res.Status, p.Detail)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("asking %s: reading the answer: %w", path, err)
	}
	return nil
}

// Missing asks the server for every job of which an outcome was acknowledged, and says of
// how many outcomes it holds no trace: nothing acknowledged may ever be lost.
func (s *Simulator) Missing(ctx context.Context, api API) (int, error) {
	acknowledged := map[string]map[int64]string{}
	for _, e := range s.Ledger() {
		if e.Acked {
			if acknowledged[e.Job] == nil {
				acknowledged[e.Job] = map[int64]string{}
			}
			acknowledged[e.Job][e.Seq] = e.Step
		}
	}
	missing := 0
	for job, outcomes := range acknowledged {
		var held struct {
			Outcomes []struct {
				Seq  int64  `json:"seq"`
				Step string `json:"step"`
			} `json:"outcomes"`
		}
		if err := api.ask(ctx, http.MethodGet, "/jobs/"+job, nil, &held); err != nil {
			return missing, err
		}
		for _, o := range held.Outcomes {
			if outcomes[o.Seq] == o.Step {
				delete(outcomes, o.Seq)
			}
		}
		missing += len(outcomes)
	}
	return missing, nil
}
