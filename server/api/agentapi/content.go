package agentapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Content are the files that agents install from.
type Content interface {
	// Read opens a file, with its size; fs.ErrNotExist where it is not here.
	Read(sha256 string) (*os.File, int64, error)
	// Used notes that an agent asked for a file.
	Used(sha256 string)
}

const (
	pieceSize = 128 << 10        // bytes that are sent at a time
	pieceTime = 30 * time.Second // an agent that takes longer to read so much is gone
	perAgent  = 3                // files at the same time
	between   = 64               // pieces after which it is asked whether the agent is still wanted
)

// content gives a file to an agent that may have it: one that the newest signed catalogue
// names, which every agent may need before it has a job, or that an open job of its own
// devices is about. Any other is not there, whether it is or not.
//
// A file never changes under its name, so a part of it is good for whoever has the rest. One
// part may be asked for, such as "bytes=1000-"; of what asks for anything else, all is sent.
func (a *API) content(w http.ResponseWriter, r *http.Request, s *session) {
	hash := r.PathValue("sha256")
	may, err := a.mayRead(r.Context(), s, hash)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if !may {
		noContent(w)
		return
	}
	defer s.files.Add(-1)
	if s.files.Add(1) > perAgent || !a.gates.content.enter(r.Context()) {
		w.Header().Set("Retry-After", a.retryAfter())
		problem(w, http.StatusServiceUnavailable, "Many agents are getting files at this moment. Go on a little later; what you have stays good.")
		return
	}
	defer a.gates.content.leave()
	f, size, err := a.Content.Read(hash)
	if errors.Is(err, fs.ErrNotExist) {
		noContent(w)
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	defer f.Close()
	a.Content.Used(hash)
	a.send(w, r, s, f, size)
}

func noContent(w http.ResponseWriter) {
	problem(w, http.StatusNotFound, "The server has no such file for this agent. Somebody has to add it, or a job or the signed catalogue to name it.")
}

// mayRead holds that an agent reads only what is meant for it.
func (a *API) mayRead(ctx context.Context, s *session, hash string) (bool, error) {
	if a.Content == nil || len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
		return false, nil
	}
	if a.Named != nil && a.Named(hash) != "" {
		return true, nil
	}
	return a.Store.Customer(who(s), s.customer).Wants(ctx, s.agent, hash)
}

// send sends the part that is asked for.
func (a *API) send(w http.ResponseWriter, r *http.Request, s *session, f io.ReaderAt, size int64) {
	h := w.Header()
	h.Set("ETag", `"`+r.PathValue("sha256")+`"`)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Cache-Control", "private, immutable")
	h.Set("Content-Type", "application/octet-stream")
	from, until, part := parseRange(r.Header.Get("Range"), size)
	if part && from >= size {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		problem(w, http.StatusRequestedRangeNotSatisfiable, "The file is shorter than that.")
		return
	}
	h.Set("Content-Length", strconv.FormatInt(until-from, 10))
	if part {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, until-1, size))
		w.WriteHeader(http.StatusPartialContent)
	}
	if r.Method != http.MethodHead {
		a.pieces(w, s, io.NewSectionReader(f, from, until-from))
	}
}

// pieces sends bytes as long as the agent takes them and is wanted. An answer that ends too
// early is broken off, so that the agent sees it.
func (a *API) pieces(w http.ResponseWriter, s *session, from io.Reader) {
	control := http.NewResponseController(w)
	buf := make([]byte, pieceSize)
	for n := 0; ; n++ {
		if n%between == between-1 && s.revoked() {
			panic(http.ErrAbortHandler)
		}
		got, err := io.ReadFull(from, buf)
		if got > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(pieceTime)) // best effort: without deadlines, its context ends it
			if _, err := w.Write(buf[:got]); err != nil {
				return // it is gone
			}
		}
		switch {
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			return
		case err != nil:
			a.Log.Error("reading a file for an agent", "agent", s.agent, "error", err)
			panic(http.ErrAbortHandler)
		}
	}
}

// parseRange reads the one form of a Range that is answered with a part: from a byte on, or
// up to one. part is false where all is to be sent.
func parseRange(header string, size int64) (from, until int64, part bool) {
	text, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !ok || !dash {
		return 0, size, false
	}
	from, err := digits(first)
	if err != nil {
		return 0, size, false
	}
	if last == "" {
		return from, size, true
	}
	to, err := digits(last)
	if err != nil || to < from {
		return 0, size, false
	}
	return from, min(to+1, size), true
}

// digits reads a number that is written in digits alone.
func digits(text string) (int64, error) {
	if len(text) > 18 || strings.Trim(text, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(text, 10, 64)
}
