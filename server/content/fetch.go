package content

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"patchbay/server/outside"
	"patchbay/server/store"
)

// The states of a fetch.
const (
	FetchWaiting = "waiting"
	FetchRunning = "running"
	FetchDone    = "done"
	FetchFailed  = "failed"
)

const (
	fetchers    = 2 // at the same time
	fetchQueue  = 200
	fetchTries  = 5 // without a byte more than before
	fetchIdle   = time.Minute
	fetchTime   = 12 * time.Hour
	fetchMemory = 200 // that ended and are still told of
)

// Fetch is a file that the server gets by itself.
type Fetch struct {
	SHA256   string
	Name     string
	Address  string // without what may be a secret in it
	State    string
	Received int64
	Size     int64  // 0 while nobody knows
	Error    string // a sentence, when it failed or is tried again
	By       store.Who
	AskedAt  time.Time
	EndedAt  *time.Time
}

// fetcher gets files, a few at a time. What it was asked for is in memory: after a restart
// it is asked again, and goes on where it broke off.
type fetcher struct {
	shelf *Shelf
	asked chan *fetch

	mu  sync.Mutex
	all []*fetch // the oldest first
}

type fetch struct {
	Fetch
	url  *url.URL
	said int64 // the size that was named, 0 for none
}

func newFetcher(s *Shelf) *fetcher { return &fetcher{shelf: s, asked: make(chan *fetch, fetchQueue)} }

// Fetch has the server get a file from an address. Asking again while it is under way changes
// nothing; after it failed, it goes on where it broke off. The size may be 0.
func (s *Shelf) Fetch(by store.Who, f File, address string) (Fetch, error) {
	u, err := s.checkURL(address)
	if err != nil {
		return Fetch{}, err
	}
	if err := (File{SHA256: f.SHA256, Size: cmp.Or(f.Size, 1)}).check(); err != nil {
		return Fetch{}, err
	}
	name := nameIn(u)
	if f.Name != "" {
		name = TidyName(f.Name)
	}
	return s.fetcher.ask(&fetch{url: u, said: f.Size, Fetch: Fetch{SHA256: f.SHA256, Name: name, Address: outside.Shown(u), State: FetchWaiting,
		Size: f.Size, By: by, AskedAt: s.Now()}})
}

// Fetches lists them, the newest first.
func (s *Shelf) Fetches() []Fetch {
	s.fetcher.mu.Lock()
	defer s.fetcher.mu.Unlock()
	all := []Fetch{}
	for _, f := range slices.Backward(s.fetcher.all) {
		all = append(all, f.Fetch)
	}
	return all
}

func (f *fetcher) ask(wanted *fetch) (Fetch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.all, func(o *fetch) bool { return o.SHA256 == wanted.SHA256 })
	if i >= 0 && f.all[i].EndedAt == nil {
		return f.all[i].Fetch, nil
	}
	select {
	case f.asked <- wanted:
	default:
		return Fetch{}, refuse(ErrBusy, "%d files wait to be fetched already. Try again later.", fetchQueue)
	}
	if i >= 0 {
		f.all = slices.Delete(f.all, i, i+1)
	}
	f.all = append(f.all, wanted)
	for len(f.all) > fetchMemory+fetchQueue {
		i := slices.IndexFunc(f.all, func(o *fetch) bool { return o.EndedAt != nil })
		if i < 0 {
			break
		}
		f.all = slices.Delete(f.all, i, i+1)
	}
	return wanted.Fetch, nil
}

// tell changes what is told of a fetch.
func (f *fetcher) tell(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fetcher) run(ctx context.Context) {
	client := f.shelf.client()
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for range fetchers {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case one := <-f.asked:
					f.do(ctx, client, one)
				}
			}
		})
	}
	all.Wait()
}

// do gets one file, trying again as long as more of it comes.
func (f *fetcher) do(ctx context.Context, client *http.Client, one *fetch) {
	f.tell(func() { one.State = FetchRunning })
	long, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	err := f.tries(long, client, one)
	now := f.shelf.Now()
	if ctx.Err() != nil {
		return // the server stops; asked again, it goes on
	}
	if err != nil {
		f.shelf.Log.Warn("content could not be fetched", "sha256", one.SHA256, "from", one.Address, "error", err)
	}
	f.tell(func() {
		one.State, one.Error, one.EndedAt = FetchDone, "", &now
		if err != nil {
			one.State, one.Error = FetchFailed, sentence(err)
		}
	})
}

func (f *fetcher) tries(ctx context.Context, client *http.Client, one *fetch) error {
	pause := f.shelf.Pause
	for tries, before := 1, int64(0); ; tries++ {
		err := f.once(ctx, client, one)
		var final *Refusal
		if err == nil || errors.As(err, &final) || ctx.Err() != nil {
			return unwrapped(err)
		}
		var now int64
		f.tell(func() { now, one.Error = one.Received, sentence(err) })
		if now > before {
			tries, before, pause = 1, now, f.shelf.Pause
		}
		if tries >= fetchTries {
			return err
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
		pause *= 2
	}
}

// once goes on with a file, and brings it into its place when it is whole. A file that is not
// what was named is given up; where a part of it was from before, it is got anew first.
func (f *fetcher) once(ctx context.Context, client *http.Client, one *fetch) error {
	s := f.shelf
	part := s.part("fetch-" + one.SHA256)
	out, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("keeping a file: %w", err)
	}
	defer out.Close()
	w := &writing{out: out, sum: sha256.New()}
	if w.at, err = io.Copy(w.sum, out); err != nil {
		return fmt.Errorf("reading what is here of a file: %w", err)
	}
	f.tell(func() { one.Received = w.at })
	from := w.at
	if err := s.Around.Do("content file fetched", func() error { return f.receive(ctx, client, one, out, w) }); err != nil {
		return err
	}
	if w.hex() != one.SHA256 {
		if err := out.Truncate(0); err != nil {
			return err
		}
		f.tell(func() { one.Received = 0 })
		if from > 0 {
			return errors.New("what was fetched before and what came now are not one file: it is fetched anew")
		}
		return refuse(ErrWrong, "The file at this address has another hash than the one it was named by: nothing of it is kept.")
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("keeping a file: %w", err)
	}
	return s.shelve(ctx, one.By, File{SHA256: one.SHA256, Size: w.at, Name: one.Name, Source: one.Address}, part)
}

// receive asks for what is missing of a file, and appends it.
func (f *fetcher) receive(ctx context.Context, client *http.Client, one *fetch, out *os.File, w *writing) error {
	if one.said > 0 && w.at == one.said {
		return nil // it broke off between its end and its place
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(fetchIdle, func() { cancel(errors.New("nothing more came for a minute")) })
	defer idle.Stop()
	answer, err := f.get(ctx, client, one, w.at)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	from, whole, err := extent(answer, w.at)
	if errors.Is(err, errLess) {
		return errors.Join(err, out.Truncate(0))
	}
	if err != nil {
		return err
	}
	if answer.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return nil
	}
	if from != w.at { // all of it comes
		if err := errors.Join(out.Truncate(0), seekStart(out)); err != nil {
			return fmt.Errorf("keeping a file: %w", err)
		}
		w.sum.Reset()
		w.at = 0
	}
	most, err := one.most(whole)
	if err != nil {
		return err
	}
	leave, err := f.shelf.reserve(ctx, one.SHA256, most.room)
	if err != nil {
		return err
	}
	defer leave()
	f.tell(func() { one.Size, one.Received, one.Error = max(whole, one.said, 0), w.at, "" })
	err = w.take(ctx, &progress{answer.Body, func(n int) {
		idle.Reset(fetchIdle)
		f.tell(func() { one.Received += int64(n) })
	}}, most.size)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if err == nil && whole > 0 && w.at < whole {
		return errBroken
	}
	return err
}

func seekStart(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// bounds are how large a file may be, and the room to take for it.
type bounds struct{ size, room int64 }

// unsaid is the room for a file whose size nobody says, and the most that it may have.
const unsaid = 2 << 30

// most bounds what comes by what was said of it.
func (one *fetch) most(whole int64) (bounds, error) {
	switch {
	case whole > 0 && one.said > 0 && whole != one.said:
		return bounds{}, refuse(ErrWrong, "The file at this address has another size than the one that was named.")
	case whole > largest:
		return bounds{}, refuse(ErrTooLarge, "The file at this address is larger than %s, the most that is kept.", amount(largest))
	case max(whole, one.said) > 0:
		n := max(whole, one.said)
		return bounds{n, n}, nil
	}
	return bounds{unsaid, unsaid}, nil
}

func (f *fetcher) get(ctx context.Context, client *http.Client, one *fetch, from int64) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, one.url.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", "identity")
	r.Header.Set("User-Agent", "Patchbay")
	if from > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	answer, err := client.Do(r)
	var refused *Refusal
	if errors.As(err, &refused) {
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the file: %w", outside.Reason(err))
	}
	return answer, nil
}

// extent says where what comes begins, and how large the file is, -1 when that is not said.
func extent(answer *http.Response, at int64) (from, whole int64, err error) {
	switch code := answer.StatusCode; {
	case answer.Header.Get("Content-Encoding") != "":
		return 0, 0, refuse(ErrWrong, "The other server sends the file in another form than it was asked for.")
	case code == http.StatusOK:
		return 0, answer.ContentLength, nil
	case code == http.StatusPartialContent:
		if from, whole, err = outside.Range(answer.Header.Get("Content-Range")); err == nil && from != at {
			err = errors.New("the other server sent another part of the file than it was asked for")
		}
		return from, whole, err
	case code == http.StatusRequestedRangeNotSatisfiable && answer.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", at):
		return at, at, nil // all of it is here
	case code == http.StatusRequestedRangeNotSatisfiable:
		return 0, 0, errLess
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		return 0, 0, fmt.Errorf("the other server answered %d %s", code, http.StatusText(code))
	default:
		return 0, 0, refuse(ErrAddress, "The other server answered %d %s.", code, http.StatusText(code))
	}
}

// errLess means that there is more here than the other server has.
var errLess = errors.New("the other server has less of the file than came before: it is fetched anew")

// progress is told how much was read.
type progress struct {
	io.Reader
	tell func(n int)
}

// Read reads and tells.
func (p *progress) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	p.tell(n)
	return n, err
}

// sentence makes an error one for people.
func sentence(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Sentence
	}
	text := []rune(visible(err.Error()))
	if len(text) > 300 {
		text = append(text[:300], '…')
	}
	return "It could not be fetched: " + string(text) + "."
}
