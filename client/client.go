// Package client talks to a Patchbay server's REST API on behalf of a person's program.
//
// It is thin on purpose: one call that sends and reads JSON, one that walks through the
// pages of a list. What travels are the types of server/view; refusals come back as Problem
// with the server's own sentence.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"patchbay/server/view"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// Client is a connection to one server as one person.
type Client struct {
	base    string
	key     string
	http    *http.Client
	patient *http.Client // for files, which take long
}

// Problem is a refusal of the server.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

// Error gives the server's sentences.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = fmt.Sprintf("the server answered %d %s", p.Status, p.Title)
	}
	for _, e := range p.Errors {
		if e.Message != p.Detail {
			text += "\n  " + e.Location + ": " + e.Message
		}
	}
	return text
}

// New makes a client for a server's address. key may be "" before signing in; ca is the
// PEM of the server's own authority, nil where the system's are to be trusted.
func New(server, key string, ca []byte) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("the server's address must look like https://patchbay.example")
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: time.Minute, ExpectContinueTimeout: 5 * time.Second}
	if ca != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) {
			return nil, errors.New("the authority's file holds no certificate: it must be PEM")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	patient := transport.Clone()
	patient.ResponseHeaderTimeout = 10 * time.Minute // a large file is made durable before the answer
	// A key is sent to the server that was named and to no other.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{base: strings.TrimRight(server, "/") + "/api/v1", key: key, http: &http.Client{Transport: transport, CheckRedirect: stay},
		patient: &http.Client{Transport: patient, CheckRedirect: stay}}, nil
}

// Do sends in as JSON, when it is not nil, and reads the answer into out, when that is not
// nil. It returns the cookies the answer set. A refusal is a *Problem.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, in, out any, cookies ...*http.Cookie) ([]*http.Cookie, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("writing a request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("writing a request: %w", err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	defer answer.Body.Close()
	return answer.Cookies(), read(answer, out)
}

// read takes an answer apart.
func read(answer *http.Response, out any) error {
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	if answer.StatusCode >= 300 {
		p := &Problem{Status: answer.StatusCode, Title: http.StatusText(answer.StatusCode)}
		if json.Unmarshal(body, p) != nil {
			p.Detail = fmt.Sprintf("the server answered %d: is this the address of Patchbay's console?", answer.StatusCode)
		}
		return p
	}
	if out == nil || len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	return nil
}

// List reads a list page by page, at most limit rows; 0 is all.
func List[T any](ctx context.Context, c *Client, path string, query url.Values, limit int) (view.Page[T], error) {
	q := url.Values{}
	for name, values := range query {
		for _, v := range values {
			if v != "" {
				q.Add(name, v)
			}
		}
	}
	all := view.Page[T]{Items: []T{}}
	for {
		size := 500
		if limit > 0 {
			size = min(size, limit-len(all.Items))
		}
		q.Set("limit", strconv.Itoa(size))
		var page view.Page[T]
		if _, err := c.Do(ctx, http.MethodGet, path, q, nil, &page); err != nil {
			return all, err
		}
		all.Items = append(all.Items, page.Items...)
		all.Total, all.AsOf, all.Next = page.Total, page.AsOf, page.Next
		if page.Next == "" || len(page.Items) == 0 || limit > 0 && len(all.Items) >= limit {
			return all, nil
		}
		q.Set("after", page.Next)
	}
}

// Get reads one thing.
func Get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var v T
	_, err := c.Do(ctx, http.MethodGet, path, query, nil, &v)
	return v, err
}

// Send writes something and reads the answer.
func Send[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var v T
	_, err := c.Do(ctx, method, path, nil, in, &v)
	return v, err
}

// Upload sends a file as it is and reads the answer. The server is asked first whether it
// takes it.
func Upload[T any](ctx context.Context, c *Client, path string, query url.Values, file io.Reader, size int64) (T, error) {
	var v T
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, c.base+path+"?"+query.Encode(), io.NopCloser(file))
	if err != nil {
		return v, fmt.Errorf("writing a request: %w", err)
	}
	r.ContentLength = size
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Expect", "100-continue")
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	answer, err := c.patient.Do(r)
	if err != nil {
		return v, fmt.Errorf("sending to the server: %w", err)
	}
	defer answer.Body.Close()
	err = read(answer, &v)
	return v, err
}
