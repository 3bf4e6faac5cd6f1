package content

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"patchbay/agent/link"
	"patchbay/provider"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// noise is a program's bytes, the same each time.
func noise(seed byte, size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(data) // never fails
	return data
}

// server has files, and answers as a test wants.
type server struct {
	mu    sync.Mutex
	files map[string][]byte
	asked []int64 // from where
	// does changes an answer; nil answers as it is.
	does func(n int, from int64, p link.Part) (link.Part, error)
}

func (s *server) put(data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string][]byte{}
	}
	s.files[sumOf(data)] = data
	return sumOf(data)
}

func (s *server) Content(_ context.Context, hash string, from int64) (link.Part, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, from)
	data, there := s.files[hash]
	switch {
	case !there:
		return link.Part{}, link.ErrNoFile
	case from > int64(len(data)):
		return link.Part{}, link.ErrShorter
	}
	p := link.Part{Body: io.NopCloser(bytes.NewReader(data[from:])), From: from, Size: int64(len(data))}
	if s.does != nil {
		return s.does(len(s.asked), from, p)
	}
	return p, nil
}

var now = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

func cache(t testing.TB, f Folder, s Source) *Cache {
	t.Helper()
	c, err := New(Options{Folder: f, Source: s, Pause: time.Nanosecond, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	ok(t, err)
	return c
}

// reads opens a file and holds that it is the one it was named by.
func reads(t testing.TB, c *Cache, data []byte) error {
	t.Helper()
	f, err := c.Open(t.Context(), sumOf(data), int64(len(data)))
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d wrong bytes were given, %v", len(got), err)
	}
	return nil
}

// lawful holds that every file with the name of a whole one is one.
func lawful(t testing.TB, m *memory, story string) {
	t.Helper()
	for name, p := range m.files {
		if !strings.HasSuffix(name, partEnd) && sumOf(p.data) != name[:64] {
			t.Errorf("%s: %s holds %d other bytes", story, name, len(p.data))
		}
	}
}

func TestAFileIsGotOnceAndGivenWhole(t *testing.T) {
	s, m := &server{}, newMemory()
	c := cache(t, m, s)
	for _, size := range []int{1, 7, chunk, 3*chunk + 1} {
		data := noise(byte(size), size)
		hash := s.put(data)
		if c.Holds(hash) {
			t.Error("what never came is here")
		}
		ok(t, c.Fetch(t.Context(), hash, int64(size)))
		asked := len(s.asked)
		for range 2 {
			ok(t, reads(t, c, data))
		}
		if !c.Holds(hash) || len(s.asked) != asked {
			t.Errorf("%d bytes: got %d times more", size, len(s.asked)-asked)
		}
	}
	lawful(t, m, "")
}

// Windows tells by a file's name what it is.
func TestAFileIsCalledByWhatItIs(t *testing.T) {
	s, m := &server{}, newMemory()
	c := cache(t, m, s)
	for head, end := range map[string]string{"MZ\x90": ".exe", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1x": ".msi", "PK\x03\x04": ".zip", "\x7fELF": "", "M": ""} {
		data := []byte(head)
		f, err := c.Open(t.Context(), s.put(data), int64(len(data)))
		ok(t, err)
		if f.Path() != sumOf(data)+end {
			t.Errorf("%q is called %s", head, f.Path())
		}
		ok(t, f.Close())
	}
}

// It breaks off at every place there is: what came is not asked for again.
func TestADownloadGoesOnWhereItBrokeOff(t *testing.T) {
	data := noise(1, 40)
	for at := range len(data) {
		s, m := &server{}, newMemory()
		s.put(data)
		s.does = func(n int, _ int64, p link.Part) (link.Part, error) {
			if n == 1 {
				p.Body = io.NopCloser(io.MultiReader(bytes.NewReader(data[:at]), iotest.ErrReader(errors.New("cut"))))
			}
			return p, nil
		}
		ok(t, reads(t, cache(t, m, s), data))
		if len(s.asked) != 2 || s.asked[1] != int64(at) {
			t.Errorf("broken off at %d, asked from %v", at, s.asked)
		}
		lawful(t, m, "")
	}
}

func TestADownloadThatDoesNotGoOnIsOffline(t *testing.T) {
	data := noise(1, 4*chunk)
	s, m := &server{}, newMemory()
	hash := s.put(data)
	s.does = func(n int, from int64, p link.Part) (link.Part, error) {
		if n > 1 {
			return link.Part{}, errors.New("no route")
		}
		p.Body = io.NopCloser(io.LimitReader(p.Body, chunk))
		return p, nil
	}
	c := cache(t, m, s)
	if err := c.Fetch(t.Context(), hash, int64(len(data))); !errors.Is(err, provider.ErrOffline) || errors.Is(err, provider.ErrRefused) {
		t.Error(err)
	}
	if len(s.asked) != tries {
		t.Errorf("it was tried %d times", len(s.asked))
	}
	s.does = nil
	s.asked = nil
	ok(t, reads(t, cache(t, m.revive(), s), data))
	if s.asked[0] != chunk {
		t.Errorf("it went on from %v", s.asked)
	}
	for _, sent := range []error{link.ErrNoFile, link.ErrRefused, link.ErrCertificate, link.Overload{After: time.Minute}} {
		s.asked, s.does = nil, func(int, int64, link.Part) (link.Part, error) { return link.Part{}, sent }
		err := cache(t, newMemory(), s).Fetch(t.Context(), hash, int64(len(data)))
		if !errors.Is(err, provider.ErrOffline) || !errors.Is(err, sent) || len(s.asked) != 1 {
			t.Errorf("%v, asked %d times", err, len(s.asked))
		}
	}
}

// Whatever a server sends, wrong bytes are never given, nor kept as the file.
func TestWrongBytesAreNeverGiven(t *testing.T) {
	data := noise(1, 1000)
	flipped := bytes.Clone(data)
	flipped[500] ^= 1
	body := func(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }
	for name, does := range map[string]func(int, int64, link.Part) (link.Part, error){
		"other bytes":  func(_ int, from int64, p link.Part) (link.Part, error) { p.Body = body(flipped[from:]); return p, nil },
		"another size": func(_ int, _ int64, p link.Part) (link.Part, error) { p.Size++; return p, nil },
		"no size":      func(_ int, _ int64, p link.Part) (link.Part, error) { p.Size = -1; return p, nil },
		"zeros": func(_ int, from int64, p link.Part) (link.Part, error) {
			p.Body = body(make([]byte, 1000-from))
			return p, nil
		},
	} {
		s, m := &server{does: does}, newMemory()
		hash := s.put(data)
		c := cache(t, m, s)
		if err := c.Fetch(t.Context(), hash, 1000); !errors.Is(err, provider.ErrRefused) || c.Holds(hash) {
			t.Errorf("%s: %v", name, err)
		}
		if f, err := c.Open(t.Context(), hash, 1000); !errors.Is(err, provider.ErrRefused) || f != nil {
			t.Errorf("%s: opening: %v", name, err)
		}
		lawful(t, m, name)
		s.does = nil
		ok(t, reads(t, c, data))
	}
	// More than was asked for is not read.
	s := &server{does: func(_ int, from int64, p link.Part) (link.Part, error) {
		p.Body = io.NopCloser(io.MultiReader(p.Body, strings.NewReader("more")))
		return p, nil
	}}
	s.put(data)
	ok(t, reads(t, cache(t, newMemory(), s), data))
	for _, hash := range []string{"", "x", strings.ToUpper(sumOf(data)), "../" + sumOf(data)[3:], sumOf(data) + ".exe", sumOf(data)[:63] + "\n"} {
		c := cache(t, newMemory(), s)
		if err := c.Fetch(t.Context(), hash, 1000); !errors.Is(err, provider.ErrRefused) || c.Holds(hash) {
			t.Errorf("%q: %v", hash, err)
		}
	}
}

// What is kept is held to its hash each time it is given: damage is mended, also where a
// download goes on with what is not its own.
func TestDamageIsMended(t *testing.T) {
	data := noise(1, 1000)
	hash := sumOf(data)
	flipped := bytes.Clone(data)
	flipped[999] ^= 1
	for name, kept := range map[string]map[string][]byte{
		"flipped": {hash: flipped}, "cut": {hash: data[:999]}, "longer": {hash + ".exe": append(bytes.Clone(data), 'x')}, "empty": {hash: nil},
		"another's part": {hash + partEnd: noise(2, 500)}, "a whole part": {hash + partEnd: data}, "a part of the right size": {hash + partEnd: flipped},
		"a part that is too long": {hash + partEnd: append(bytes.Clone(data), 'x')}, "a good part": {hash + partEnd: data[:10]},
		"both": {hash: flipped, hash + ".msi": flipped, hash + partEnd: flipped},
	} {
		s, m := &server{}, newMemory()
		s.put(data)
		for file, b := range kept {
			m.files[file] = &page{data: bytes.Clone(b), used: now}
		}
		c := cache(t, m, s)
		if err := reads(t, c, data); err != nil && name != "both" {
			t.Errorf("%s: %v", name, err)
		}
		ok(t, reads(t, c, data))
	}
}

// Where several whole files go to one name, or power is lost at any write, in any way, and
// again in the life after: in the end the file is given, and at no moment a wrong one.
func TestPowerCutsAtAnyWriteLoseNothing(t *testing.T) {
	old, data := noise(1, chunk), noise(2, 3*chunk+5)
	points := 0
	for _, way := range []how{before, torn, after, unsynced} {
		for at := 1; ; at++ {
			s, m := &server{}, newMemory()
			s.put(old)
			s.put(data)
			c := cache(t, m, s)
			c.Budget = int64(len(data)) + 10 // the old one has to go
			ok(t, reads(t, c, old))
			m.cutAt, m.how, m.writes = at, way, 0
			err := reads(t, c, data)
			if err != nil && !errors.Is(err, errCut) {
				t.Fatalf("%s at %d: %v", way, at, err)
			}
			hit := m.dead
			story := fmt.Sprintf("%s at %d", way, at)
			again := m.revive()
			lawful(t, again, story)
			again.cutAt, again.how = 2, way // the life after is cut as well
			if c, err := New(Options{Folder: again, Source: s, Pause: time.Nanosecond, Now: c.Now, Log: c.Log}); err == nil {
				_ = reads(t, c, data)
			}
			last := again.revive()
			lawful(t, last, story+", and again")
			c = cache(t, last, s)
			if err := errors.Join(reads(t, c, data), reads(t, c, old)); err != nil {
				t.Errorf("%s: in the end: %v", story, err)
			}
			if !hit {
				break
			}
			points++
		}
	}
	if points < 30 {
		t.Errorf("only %d moments were tried", points)
	}
}

func TestWhatIsGivenAwayStaysAndTheBudgetHolds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, m := &server{}, newMemory()
		c := cache(t, m, s)
		c.Budget = 100
		at := now
		c.Now = func() time.Time { at = at.Add(time.Second); return at }
		type held struct {
			provider.File
			data []byte
		}
		var open []held
		for range rapid.IntRange(1, 20).Draw(r, "steps") {
			if len(open) > 0 && rapid.Bool().Draw(r, "close") {
				ok(t, open[0].Close())
				ok(t, open[0].Close()) // twice does no harm
				open = open[1:]
				continue
			}
			data := noise(byte(rapid.IntRange(0, 8).Draw(r, "which")), rapid.IntRange(1, 60).Draw(r, "size"))
			f, err := c.Open(t.Context(), s.put(data), int64(len(data)))
			ok(t, err)
			if rapid.Bool().Draw(r, "keep") {
				open = append(open, held{f, data})
			} else {
				ok(t, f.Close())
			}
			sum, given := 0, 0
			for name, size := range m.names() {
				sum += size
				if c.open[name] > 0 {
					given += size
				}
			}
			if sum > 100+given {
				t.Errorf("%d bytes are kept of 100, %d of them given away", sum, given)
			}
			for _, h := range open {
				if !c.Holds(sumOf(h.data)) {
					t.Error("a file that is given away was removed")
				}
			}
		}
	})
}

func TestAFullDiskAndTooLargeFilesAreRefused(t *testing.T) {
	s, m := &server{}, newMemory()
	hash := s.put(noise(1, 1000))
	c := cache(t, m, s)
	m.free = keepFree + 999
	if err := c.Fetch(t.Context(), hash, 1000); !errors.Is(err, provider.ErrRefused) || len(s.asked) > 0 {
		t.Error(err)
	}
	m.free = 1 << 40
	if err := c.Fetch(t.Context(), hash, c.Budget+1); !errors.Is(err, provider.ErrRefused) {
		t.Error(err)
	}
}

func TestStartingRemovesWhatNobodyWants(t *testing.T) {
	m := newMemory()
	hash, other := sumOf([]byte("a")), sumOf([]byte("b"))
	for name, age := range map[string]time.Duration{hash + ".exe": 89 * 24 * time.Hour, other: 91 * 24 * time.Hour, hash + partEnd: 6 * 24 * time.Hour,
		other + partEnd: 8 * 24 * time.Hour, "version.dll": 0, "notes": 0} {
		m.files[name] = &page{used: now.Add(-age)}
	}
	cache(t, m, &server{})
	if got := m.names(); len(got) != 2 || !contains(got, hash+".exe") || !contains(got, hash+partEnd) {
		t.Errorf("%v", got)
	}
}

func contains(all map[string]int, name string) bool { _, ok := all[name]; return ok }

func TestAnEndedContextEndsADownload(t *testing.T) {
	s := &server{}
	data := noise(1, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	s.does = func(_ int, _ int64, p link.Part) (link.Part, error) {
		p.Body = io.NopCloser(iotest.ErrReader(errors.New("cut")))
		cancel()
		return p, nil
	}
	c := cache(t, newMemory(), s)
	if err := c.Fetch(ctx, s.put(data), 1000); !errors.Is(err, context.Canceled) || errors.Is(err, provider.ErrOffline) {
		t.Error(err)
	}
}

// archive has one file in it, beside another.
func archive(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for n, text := range map[string][]byte{name: data, "beside.dll": []byte("x")} {
		f, err := z.Create(n)
		ok(t, err)
		_, err = f.Write(text)
		ok(t, err)
	}
	ok(t, z.Close())
	return b.Bytes()
}

// What is unpacked is kept and given as what was fetched is, through power cuts at every write.
func TestOneFileIsUnpacked(t *testing.T) {
	data := append([]byte("MZ"), noise(3, 2*chunk)...)
	packed := archive(t, "in/setup.exe", data)
	unpack := func(c *Cache, name string) ([]byte, error) {
		f, err := c.Open(t.Context(), sumOf(packed), int64(len(packed)))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in, err := c.Unpack(t.Context(), f, name)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		if !strings.HasSuffix(in.Path(), ".exe") || !strings.Contains(in.Path(), sumOf(data)) {
			t.Errorf("it is called %s", in.Path())
		}
		return io.ReadAll(io.NewSectionReader(in, 0, in.Size()))
	}
	for _, way := range []how{before, torn, after, unsynced} {
		for at, hit := 1, true; hit; at++ {
			s, m := &server{}, newMemory()
			s.put(packed)
			c := cache(t, m, s)
			ok(t, c.Fetch(t.Context(), sumOf(packed), int64(len(packed))))
			m.cutAt, m.how, m.writes = at, way, 0
			_, err := unpack(c, "in/setup.exe")
			if hit = m.dead; err != nil && !errors.Is(err, errCut) {
				t.Fatalf("%s at %d: %v", way, at, err)
			}
			m = m.revive()
			lawful(t, m, fmt.Sprintf("%s at %d", way, at))
			c = cache(t, m, s)
			for range 2 {
				if got, err := unpack(c, "in/setup.exe"); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s at %d: %d bytes, %v", way, at, len(got), err)
				}
			}
			if n := len(m.names()); n > 2 {
				t.Errorf("%s at %d: left are %v", way, at, m.names())
			}
		}
	}
	s, m := &server{}, newMemory()
	s.put(packed)
	flipped := bytes.Clone(data)
	flipped[7] ^= 1
	m.files[sumOf(data)+".exe"] = &page{data: flipped, used: now}
	if got, err := unpack(cache(t, m, s), "in/setup.exe"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("one that was damaged since is given as %d bytes, %v", len(got), err)
	}
	m = newMemory()
	if _, err := unpack(cache(t, m, s), "setup.exe"); !errors.Is(err, provider.ErrRefused) || len(m.names()) != 1 {
		t.Errorf("%v, kept are %v", err, m.names())
	}
}
