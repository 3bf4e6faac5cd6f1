package link

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
)

// Problem is what an answer that is an error says, on one line and never long: the status
// and the detail of an RFC 9457 problem.
func Problem(res *http.Response) string {
	text := fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode))
	data, err := io.ReadAll(io.LimitReader(res.Body, 16<<10))
	var p struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	if err != nil || json.Unmarshal(data, &p) != nil {
		return text
	}
	if p.Detail == "" {
		p.Detail = p.Title
	}
	if p.Detail = oneLine(p.Detail); p.Detail != "" {
		text += ": " + p.Detail
	}
	return text
}

func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return strings.TrimSpace(s)
}
