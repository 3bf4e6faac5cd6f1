package api

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
)

// nonceMark stands in the console's index.html where each answer gets its own nonce, so
// that styles made by the running console pass the content security policy.
const nonceMark = "__PATCHBAY_NONCE__"

// files serves the console: every built file under its own path, and index.html for every
// other path, since the console's pages are its own business. All is read and compressed
// once, when the server starts.
type files struct {
	byPath map[string]file
	index  []byte
}

type file struct {
	body, zipped []byte
	mime, tag    string
	hashed       bool // its name changes with its content, so it never changes
}

// hashedName is how the console's builder names such files: index-B3x9Qz1a.js.
var hashedName = regexp.MustCompile(`-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$`)

func newFiles(source fs.FS) *files {
	f := &files{byPath: map[string]file{}, index: []byte("<!doctype html><title>Patchbay</title><p>The console is not built into this server. The API is at <a href=\"/api/openapi.json\">/api/openapi.json</a>.")}
	if source == nil {
		return f
	}
	// A file that cannot be read is not served; the embedded ones always can.
	_ = fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		body, err := fs.ReadFile(source, name)
		if err != nil {
			return nil
		}
		if name == "index.html" {
			f.index = body
			return nil
		}
		f.byPath["/"+name] = newFile(name, body)
		return nil
	})
	return f
}

func newFile(name string, body []byte) file {
	sum := sha256.Sum256(body)
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	return file{body: body, zipped: zipped(body), mime: kind, tag: `"` + hex.EncodeToString(sum[:16]) + `"`,
		hashed: hashedName.MatchString(name)}
}

// zipped compresses, nil where that is no gain.
func zipped(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(body); err != nil || w.Close() != nil || b.Len() > len(body)*9/10 {
		return nil
	}
	return b.Bytes()
}

// ServeHTTP answers with a file or the console's page.
func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, problem(http.StatusMethodNotAllowed, "The console's files can only be read."))
		return
	}
	if found, ok := f.byPath[r.URL.Path]; ok {
		found.serve(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		writeProblem(w, notFound()) // an old page asks for files of an older build
		return
	}
	f.page(w, r)
}

func (f *files) page(w http.ResponseWriter, r *http.Request) {
	var b [16]byte
	rand.Read(b[:]) // never fails, says crypto/rand
	nonce := hex.EncodeToString(b[:])
	h := w.Header()
	h.Set("Content-Security-Policy", policy(nonce))
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	if r.Method == http.MethodGet {
		w.Write(bytes.ReplaceAll(f.index, []byte(nonceMark), []byte(nonce)))
	}
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mime)
	h.Set("ETag", f.tag)
	h.Set("Cache-Control", "no-cache")
	if f.hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.body
	if f.zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.zipped
		}
	}
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method == http.MethodGet {
		io.Copy(w, bytes.NewReader(body))
	}
}
