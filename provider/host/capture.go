package host

import (
	"bytes"
	"strings"
	"sync"
)

// The most that is kept of one stream, and of one line given to a caller.
const (
	maxOutput = 64 << 20
	maxLine   = 64 << 10
)

// capture keeps a stream up to its limit and hands on each line. It reads on beyond the
// limit, so that the program is not held up.
type capture struct {
	kept  strings.Builder
	limit int
	lines *lineSink
	part  []byte // of a line that has not ended
}

func newCapture(lines *lineSink) *capture { return &capture{limit: maxOutput, lines: lines} }

func (c *capture) Write(p []byte) (int, error) {
	if room := c.limit - c.kept.Len(); room > 0 {
		c.kept.Write(p[:min(room, len(p))])
	}
	if c.lines.call != nil {
		c.split(p)
	}
	return len(p), nil
}

func (c *capture) split(p []byte) {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			c.part = append(c.part, p[:min(len(p), max(0, maxLine-len(c.part)))]...)
			return
		}
		c.part = append(c.part, p[:min(i, max(0, maxLine-len(c.part)))]...)
		c.end()
		p = p[i+1:]
	}
}

// end hands on what has no line end.
func (c *capture) end() {
	if len(c.part) == 0 {
		return
	}
	c.lines.send(strings.TrimSuffix(string(c.part), "\r"))
	c.part = c.part[:0]
}

// lineSink lets both streams of a program share one caller.
type lineSink struct {
	mu   sync.Mutex
	call func(string)
}

func (s *lineSink) send(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call(line)
}
