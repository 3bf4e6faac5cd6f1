package content

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	agentcontent "patchbay/agent/content"
	"patchbay/agent/disk"
	"patchbay/agent/enroll"
	"patchbay/agent/identity"
	"patchbay/agent/link"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server"
	"patchbay/server/backup"
	"patchbay/server/content"
	"patchbay/server/store"
	"patchbay/wire"
)

var who = store.Who{ID: "system", Name: "the test"}

// world is a server that lives again and again on one folder, and an agent of it.
type world struct {
	t      *testing.T
	data   string
	server *server.Server
	stop   func()
	link   *link.Link
	files  agentcontent.Folder

	cut  atomic.Int64 // bytes after which a connection breaks; 0 never
	read atomic.Int64 // bytes that came over all of them
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, data: t.TempDir()}
	token, err := server.Bootstrap(t.Context(), server.FirstSite{Data: w.data, Customer: "C", Site: "S", Zone: "UTC", Mode: string(wire.Manage), Now: time.Now()})
	w.must(err)
	w.begin()
	_, at := w.server.Addresses()
	dir, err := disk.Open(filepath.Join(t.TempDir(), "agent"))
	w.must(err)
	keys := identity.SoftKey{Dir: dir}
	id, err := enroll.Run(t.Context(), enroll.Options{Server: "https://" + at.String(), Token: token, Mode: wire.Manage, Build: "test",
		Facts: wire.Facts{Hostname: "pc", OS: "linux"}, Disk: dir, Keys: keys, Now: time.Now})
	w.must(err)
	key, err := keys.Key()
	w.must(err)
	leaf, err := id.Leaf(key)
	w.must(err)
	u, err := url.Parse(id.AgentURL)
	w.must(err)
	config := identity.Peer{Authorities: func() [][]byte { return [][]byte{id.CA} }, Hosts: func() []string { return []string{u.Hostname()} },
		Earliest: func() time.Time { return time.Time{} }, Certificate: func() *tls.Certificate { return leaf }}.TLS()
	w.link, err = link.New(id.AgentURL, config, w.dial)
	w.must(err)
	w.files, err = agentcontent.OpenDir(filepath.Join(dir.Path(), "content"))
	w.must(err)
	t.Cleanup(func() { w.link.Close(); w.stop() })
	return w
}

// begin begins the next life of the server.
func (w *world) begin() {
	w.t.Helper()
	s, err := server.New(w.t.Context(), server.Options{Data: w.data, Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0", AgentURL: "https://127.0.0.1:8421", Version: "test"})
	w.must(err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	w.server = s
	w.stop = func() {
		cancel()
		w.must(errors.Join(<-ended, s.Close()))
	}
}

// dial reaches the server wherever it is now, over a connection that may break.
func (w *world) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	_, at := w.server.Addresses()
	c, err := (&net.Dialer{}).DialContext(ctx, network, at.String())
	if err != nil {
		return nil, err
	}
	return &breaking{Conn: c, w: w, left: w.cut.Load()}, nil
}

// breaking is a connection that ends after so many bytes came over it.
type breaking struct {
	net.Conn
	w    *world
	left int64
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.left > 0 {
		p = p[:min(int64(len(p)), b.left)]
	}
	n, err := b.Conn.Read(p)
	b.w.read.Add(int64(n))
	if b.left > 0 {
		if b.left -= int64(n); b.left == 0 {
			b.Conn.Close()
			return n, io.ErrUnexpectedEOF
		}
	}
	return n, err
}

func (w *world) cache() *agentcontent.Cache {
	c, err := agentcontent.New(agentcontent.Options{Folder: w.files, Source: w.link, Pause: time.Nanosecond, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	w.must(err)
	return c
}

func noise(seed byte, size int) (data []byte, hash string) {
	data = make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(data) // never fails
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:])
}

// add keeps a file at the server, and names it in the catalogue.
func (w *world) add(data []byte, hash string) {
	w.t.Helper()
	w.must(w.server.Shelf.Add(w.t.Context(), who, content.File{SHA256: hash, Size: int64(len(data)), Name: "setup.exe"}, bytes.NewReader(data)))
	w.name(hash)
}

func (w *world) name(hash string) {
	w.server.SetCatalog([]patch.Package{{Name: "Tool", Releases: []patch.Release{{Version: "2", Installers: []patch.Installer{{SHA256: hash}}}}}})
}

func (w *world) reads(c *agentcontent.Cache, data []byte, hash string) {
	w.t.Helper()
	f, err := c.Open(w.t.Context(), hash, int64(len(data)))
	w.must(err)
	defer f.Close()
	got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil || !bytes.Equal(got, data) {
		w.t.Errorf("%d bytes of another file, %v", len(got), err)
	}
}

// The connection breaks off again and again: the file comes all the same, and little of it
// comes twice.
func TestAFileComesOverAConnectionThatBreaks(t *testing.T) {
	w := newWorld(t)
	data, hash := noise(1, 3<<20)
	w.add(data, hash)
	w.cut.Store(300 << 10)
	w.read.Store(0)
	w.reads(w.cache(), data, hash)
	if n := w.read.Load(); n > int64(len(data))*5/4 {
		t.Errorf("%d bytes came for %d", n, len(data))
	}
}

// The server stops in the middle, and another life of it goes on.
func TestAFileComesFromTheNextLifeOfTheServer(t *testing.T) {
	w := newWorld(t)
	data, hash := noise(2, 3<<20)
	w.add(data, hash)
	w.cut.Store(1 << 20)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // the agent is stopped when the first connection broke
		for w.read.Load() < 1<<20 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_ = w.cache().Fetch(ctx, hash, int64(len(data))) // as far as it came
	cancel()
	w.link.Close()
	w.stop()
	w.begin()
	c := w.cache()
	if err := c.Fetch(t.Context(), hash, int64(len(data))); err == nil && !c.Holds(hash) || err != nil && !errors.Is(err, provider.ErrOffline) {
		t.Errorf("a server that knows no catalogue yet: %v", err)
	}
	w.name(hash)
	w.cut.Store(0)
	w.reads(c, data, hash)
}

// What the catalogue no longer names, and no job is about, is not there for an agent.
func TestWhatIsNoLongerNamedIsNotThere(t *testing.T) {
	w := newWorld(t)
	data, hash := noise(3, 1000)
	w.add(data, hash)
	w.server.SetCatalog(nil)
	if err := w.cache().Fetch(t.Context(), hash, 1000); !errors.Is(err, provider.ErrOffline) || !errors.Is(err, link.ErrNoFile) {
		t.Error(err)
	}
	w.name(hash)
	w.reads(w.cache(), data, hash)
	c, err := w.server.Store.MSP(who).Content(t.Context(), hash)
	if err != nil || c.SHA256 != hash {
		t.Errorf("%+v, %v", c, err)
	}
}

// A backup has what there was and not the files. After a restore the list says so, and a file
// that is brought again is there, for whoever wanted it.
func TestARestoreKnowsWhichFilesToBringAgain(t *testing.T) {
	w := newWorld(t)
	data, hash := noise(4, 1000)
	w.add(data, hash)
	w.stop()
	file := filepath.Join(t.TempDir(), "backup")
	from := backup.Place{Data: w.data, Database: backup.DatabaseIn(w.data, "")}
	_, err := backup.Make(t.Context(), backup.Options{Place: from, File: file, Plain: true, Program: "test", Now: time.Now})
	w.must(err)
	to := filepath.Join(t.TempDir(), "restored")
	_, err = backup.Restore(t.Context(), backup.RestoreOptions{Place: backup.Place{Data: to, Database: backup.DatabaseIn(to, "")}, File: file, Now: time.Now})
	w.must(err)
	w.data = to
	w.begin()
	w.name(hash)
	e, err := w.server.Shelf.Show(t.Context(), hash)
	if err != nil || e.Here || e.Name != "setup.exe" {
		t.Errorf("%+v, %v", e, err)
	}
	c := w.cache()
	if err := c.Fetch(t.Context(), hash, 1000); !errors.Is(err, provider.ErrOffline) {
		t.Errorf("before it was brought again: %v", err)
	}
	w.add(data, hash)
	w.reads(c, data, hash)
}
