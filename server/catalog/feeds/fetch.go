package feeds

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"patchbay/server/catalog/feed"
	"patchbay/server/outside"
)

// Bounds on how a feed is got.
const (
	fetchTries = 5 // without a byte more than before
	fetchIdle  = time.Minute
	fetchTime  = 3 * time.Hour
	noteEvery  = 16 << 20 // bytes after which what is here is made durable
	maxMark    = 1000     // letters of an ETag
	longestAsk = 24 * time.Hour
)

// part is what is here of a file that did not come whole. It is only gone on with where the
// publisher says by the same mark that the file is still the same.
type part struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Size         int64  `json:"size"`          // bytes that are surely on the disk
	Sum          string `json:"sum,omitempty"` // of all of it, as its publisher says: algorithm:hex
}

// mark is what a request to go on is made under: a strong ETag, else the time. "" is none.
func (p part) mark() string {
	if p.ETag != "" && !strings.HasPrefix(p.ETag, "W/") {
		return p.ETag
	}
	return p.LastModified
}

// busyError says that a publisher does not want to be asked for a while.
type busyError struct {
	text  string
	after time.Duration
}

// Error says what it answered.
func (e *busyError) Error() string { return e.text }

// errBroken means that what came broke off, and can be gone on with.
var errBroken = errors.New("it broke off before its end")

// fetching is one file that is being got.
type fetching struct {
	k      *Keeper
	feed   *kept
	from   *url.URL
	before source
	path   string // of the part
	part   part
	idle   *time.Timer
}

// fetch gets what an address has, unless that is what it sent before.
func (k *Keeper) fetch(ctx context.Context, f *kept, from address, before source) (source, error) {
	u, err := url.Parse(from.text)
	if err != nil {
		return source{}, errors.New("its address cannot be read")
	}
	if err := k.makeFolders(f.Name); err != nil {
		return source{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	g := &fetching{k: k, feed: f, from: u, before: before, path: filepath.Join(k.Path, f.Name, partDir, partName(from.text))}
	g.recall()
	pause := k.Pause
	for tries, most := 1, int64(0); ; tries++ {
		err := g.once(ctx)
		if err == nil {
			if err := g.verify(ctx); err != nil {
				g.part = part{}
				return source{}, errors.Join(err, g.k.replace("feed part noted", g.path+".json", []byte("{}")))
			}
			return g.finish()
		}
		if !errors.Is(err, errBroken) || ctx.Err() != nil {
			return source{}, err
		}
		if g.part.Size > most {
			tries, most, pause = 1, g.part.Size, k.Pause
		}
		if g.part.mark() == "" {
			g.part = part{} // nobody could tell that it is still the same file
		}
		if tries >= fetchTries {
			return source{}, err
		}
		if err := sleep(ctx, pause); err != nil {
			return source{}, err
		}
		pause *= 2
	}
}

// sleep waits, or less when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recall reads what is here of the file from before. What was not noted as being on the disk
// is cut off.
func (g *fetching) recall() {
	data, err := os.ReadFile(g.path + ".json")
	var p part
	if err != nil || json.Unmarshal(data, &p) != nil || p.mark() == "" || p.Size < 0 {
		return
	}
	if info, err := os.Stat(g.path); err == nil && info.Size() >= p.Size && os.Truncate(g.path, p.Size) == nil {
		g.part = p
	}
}

// note makes durable what is here of the file, and notes it.
func (g *fetching) note(out *os.File) error {
	if err := out.Sync(); err != nil {
		return err
	}
	data, err := json.Marshal(g.part)
	if err != nil {
		return err
	}
	return g.k.replace("feed part noted", g.path+".json", data)
}

// once asks for what is missing, and appends it.
func (g *fetching) once(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g.idle = time.AfterFunc(fetchIdle, func() { cancel(fmt.Errorf("%w: nothing more came for a minute", errBroken)) })
	defer g.idle.Stop()
	answer, err := g.ask(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	whole, err := g.begin(answer)
	if err != nil {
		return err
	}
	err = g.receive(answer.Body, whole)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// ask asks for the file: for the rest of it where a part is here, else for one that is not
// what was got before.
func (g *fetching) ask(ctx context.Context) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.from.String(), nil)
	if err != nil {
		return nil, errors.New("its address cannot be asked")
	}
	r.Header.Set("Accept-Encoding", "identity")
	r.Header.Set("User-Agent", "Patchbay")
	if g.feed.Accept != "" {
		r.Header.Set("Accept", g.feed.Accept)
	}
	switch {
	case g.part.Size > 0:
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", g.part.Size))
		r.Header.Set("If-Range", g.part.mark())
	case len(g.before.Files) > 0 && g.before.ETag != "":
		r.Header.Set("If-None-Match", g.before.ETag)
	case len(g.before.Files) > 0 && g.before.LastModified != "":
		r.Header.Set("If-Modified-Since", g.before.LastModified)
	}
	answer, err := g.k.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking for it: %w", outside.Reason(err))
	}
	return answer, nil
}

// begin reads the head of an answer, and says how large the file is, -1 where it does not
// say. Where all of it comes, the part that was here is gone.
func (g *fetching) begin(answer *http.Response) (whole int64, err error) {
	h := answer.Header
	now := part{ETag: h.Get("ETag"), LastModified: h.Get("Last-Modified")}
	if len(now.ETag)+len(now.LastModified) > maxMark {
		now = part{}
	}
	switch code := answer.StatusCode; {
	case h.Get("Content-Encoding") != "":
		return 0, errors.New("it is sent in another form than it was asked for")
	case code == http.StatusNotModified && g.part.Size == 0 && len(g.before.Files) > 0:
		return 0, errUnchanged
	case code == http.StatusOK:
		now.Sum = told(h, true)
		g.part = now
		return answer.ContentLength, nil
	case code == http.StatusPartialContent:
		from, whole, err := outside.Range(h.Get("Content-Range"))
		if err == nil && (from != g.part.Size || now.mark() != "" && now.mark() != g.part.mark()) {
			err = errors.New("another part of it was sent than it was asked for")
		}
		if err != nil {
			return 0, g.forget(err)
		}
		if sum := told(h, false); sum != "" {
			g.part.Sum = sum
		}
		return whole, nil
	case code == http.StatusRequestedRangeNotSatisfiable && g.part.Size > 0:
		return 0, g.forget(errors.New("there is less of it than came before"))
	case code == http.StatusNotFound || code == http.StatusGone:
		return 0, fmt.Errorf("it is not there (%d): %w", code, fs.ErrNotExist)
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return 0, &busyError{fmt.Sprintf("its publisher does not want to be asked now (%d %s)", code, http.StatusText(code)), g.retryAfter(h.Get("Retry-After"))}
	default:
		return 0, fmt.Errorf("its publisher answered %d %s", code, http.StatusText(code))
	}
}

// forget lets go of a part that cannot be gone on with, so that the file is got anew.
func (g *fetching) forget(why error) error {
	g.part = part{}
	return errors.Join(fmt.Errorf("%w: %w; it is got anew", errBroken, why), g.k.replace("feed part noted", g.path+".json", []byte("{}")))
}

// retryAfter reads for how long a publisher wants to be left alone: seconds or a moment.
func (g *fetching) retryAfter(text string) time.Duration {
	d := time.Duration(0)
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		d = time.Duration(min(seconds, int(longestAsk/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(g.k.Now())
	}
	return min(max(d, 0), longestAsk)
}

// receive appends what comes to the part, and notes now and then how much is surely here.
func (g *fetching) receive(body io.Reader, whole int64) error {
	most := g.feed.most()
	if whole > most {
		return fmt.Errorf("it has %s; the most that is taken is %s", amount(whole), amount(most))
	}
	out, err := os.OpenFile(g.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return reason(err)
	}
	defer out.Close()
	if err := errors.Join(out.Truncate(g.part.Size), g.note(out)); err != nil {
		return reason(err)
	}
	if _, err := out.Seek(g.part.Size, io.SeekStart); err != nil {
		return reason(err)
	}
	for buf, noted := make([]byte, 256<<10), g.part.Size; ; {
		n, err := body.Read(buf)
		g.idle.Reset(fetchIdle)
		if g.part.Size+int64(n) > most {
			return fmt.Errorf("it is larger than %s, the most that is taken", amount(most))
		}
		if wrote := g.k.Around.Do("feed part written", func() error { _, err := out.Write(buf[:n]); return err }); wrote != nil {
			return reason(wrote)
		}
		g.part.Size += int64(n)
		over := errors.Is(err, io.EOF)
		if err != nil || g.part.Size-noted >= noteEvery {
			noted = g.part.Size
			if err := g.note(out); err != nil {
				return reason(err)
			}
		}
		switch {
		case over && whole >= 0 && g.part.Size != whole:
			return fmt.Errorf("%w: %d of %d bytes came", errBroken, g.part.Size, whole)
		case over:
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", errBroken, outside.Reason(err))
		}
	}
}

// finish brings a file that is here whole into its place.
func (g *fetching) finish() (source, error) {
	in, err := os.Open(g.path)
	if err != nil {
		return source{}, reason(err)
	}
	defer in.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, in)
	if err != nil {
		return source{}, reason(err)
	}
	if size == 0 {
		return source{}, errors.New("it is empty")
	}
	f := File{Name: tidyName(path.Base(g.from.Path)), SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size}
	in.Close() // before it is moved, which Windows wants
	if err := g.k.place(g.feed, f, g.path); err != nil {
		return source{}, reason(err)
	}
	s := source{From: g.before.From, ETag: g.part.ETag, LastModified: g.part.LastModified, Files: []File{f}}
	return s, os.Remove(g.path + ".json")
}

// follow looks at a redirection: over plain http only where the feed itself is so.
func follow(to, first *url.URL) error {
	switch {
	case to.Host == "" || to.User != nil:
		return errors.New("it leads on to an address that holds a name or password, or none")
	case to.Scheme == "https", to.Scheme == "http" && first.Scheme == "http":
		return nil
	}
	return fmt.Errorf("it leads on to %s, which is not https", feed.Clip(outside.Shown(to)))
}
