package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// ErrNoFile means that the server has no such file for this agent.
var ErrNoFile = errors.New("the server has no such file for this agent: it is to be added there, or a job or the signed catalogue has to name it")

// ErrShorter means that the server's file ends before the byte that was asked for.
var ErrShorter = errors.New("the server's file ends before what was asked for")

// Part is a file of the server, or the rest of one, as it comes.
type Part struct {
	Body io.ReadCloser
	From int64 // the first byte that comes: the one that was asked for, or 0 where all comes
	Size int64 // of the whole file
}

// Content asks for a file, from a byte on. How long its body may take is the context's.
func (l *Link) Content(ctx context.Context, sha256 string, from int64) (Part, error) {
	p, err := l.file(ctx, sha256, from)
	if err != nil {
		return Part{}, fmt.Errorf("getting a file: %w", err)
	}
	return p, nil
}

func (l *Link) file(ctx context.Context, sha256 string, from int64) (Part, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base()+"/agent/v1/content/"+sha256, nil)
	if err != nil {
		return Part{}, err
	}
	req.Header.Set("User-Agent", "")
	req.Header.Set("Accept-Encoding", "identity")
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	res, err := l.client.Do(req)
	if rejected(err) {
		return Part{}, ErrCertificate
	}
	if err != nil {
		return Part{}, Explain(err)
	}
	p, err := part(res, from)
	if err != nil {
		res.Body.Close()
	}
	return p, err
}

// part reads what an answer says of the file in its body.
func part(res *http.Response, asked int64) (Part, error) {
	p := Part{Body: res.Body, Size: res.ContentLength}
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusPartialContent:
		var err error
		if p.From, p.Size, err = ParseContentRange(res.Header.Get("Content-Range")); err != nil {
			return p, err
		}
		if p.From != asked {
			return p, errors.New("the server sent another part of the file than was asked for")
		}
	case http.StatusNotFound:
		return p, ErrNoFile
	case http.StatusRequestedRangeNotSatisfiable:
		return p, ErrShorter
	default:
		return p, status(res)
	}
	if p.Size < 0 || res.Header.Get("Content-Encoding") != "" {
		return p, errors.New("the server does not say how long the file is, or sends it in another form")
	}
	return p, nil
}

// ParseContentRange reads where a part begins, and how long the whole is.
func ParseContentRange(header string) (from, size int64, err error) {
	bad := errors.New("the server sent a part of the file without saying which")
	rest, ok := strings.CutPrefix(header, "bytes ")
	part, whole, slash := strings.Cut(rest, "/")
	first, last, dash := strings.Cut(part, "-")
	if !ok || !slash || !dash {
		return 0, 0, bad
	}
	var n [3]int64
	for i, text := range []string{first, last, whole} {
		if strings.Trim(text, "0123456789") != "" {
			return 0, 0, bad
		}
		if n[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return 0, 0, bad
		}
	}
	if n[1] < n[0] || n[2] <= n[1] {
		return 0, 0, bad
	}
	return n[0], n[2], nil
}
