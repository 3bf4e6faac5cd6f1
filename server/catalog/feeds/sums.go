package feeds

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"patchbay/server/outside"
)

// told is the hash that a publisher sends with a file, as algorithm:hex; "" when it sends none
// that is known. Repr-Digest and Content-Digest are RFC 9530's, X-Goog-Hash is that of Google's
// storage, where the dumps of OSV are. An MD5 shows what went wrong on the way, and no forgery:
// against that stands TLS.
func told(h http.Header, whole bool) string {
	digests := h.Values("Repr-Digest")
	if whole { // of a part it is the part's
		digests = append(digests, h.Values("Content-Digest")...)
	}
	if sum := member64(digests, "sha-256=:", ":", sha256.Size); sum != "" {
		return "sha256:" + sum
	}
	if sum := member64(h.Values("X-Goog-Hash"), "md5=", "", md5.Size); sum != "" {
		return "md5:" + sum
	}
	return ""
}

// member64 finds the member of lists that begins so, and gives what is written in it in base64
// as hexadecimal digits.
func member64(lists []string, begins, ends string, size int) string {
	for _, list := range lists {
		for one := range strings.SplitSeq(list, ",") {
			text, ok := strings.CutPrefix(strings.TrimSpace(one), begins)
			if !ok || !strings.HasSuffix(text, ends) {
				continue
			}
			if sum, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(text, ends)); err == nil && len(sum) == size {
				return hex.EncodeToString(sum)
			}
		}
	}
	return ""
}

// errHash says that a file is not the one that its publisher speaks of.
var errHash = errors.New("what came has another hash than its publisher says, and is not taken")

// verify holds a file that is here whole against the hash that its publisher sent with it, and
// against the one that lies beside it where the feed says so.
func (g *fetching) verify(ctx context.Context) error {
	algorithm, want, _ := strings.Cut(g.part.Sum, ":")
	if want != "" {
		sum := hash.Hash(sha256.New())
		if algorithm == "md5" {
			sum = md5.New()
		}
		if got, err := sumOf(g.path, sum, false); err != nil || got != want {
			return errors.Join(err, errIf(got != want))
		}
	}
	if g.feed.Hash == "" {
		return nil
	}
	want, err := g.beside(ctx)
	if err != nil {
		return err
	}
	got, err := sumOf(g.path, sha256.New(), false)
	if err == nil && got != want && strings.HasSuffix(g.from.Path, ".gz") {
		got, err = sumOf(g.path, sha256.New(), true) // some publish that of what is in it
	}
	return errors.Join(err, errIf(got != want))
}

func errIf(wrong bool) error {
	if wrong {
		return errHash
	}
	return nil
}

// sumOf is the hash of a file, or of what is packed in it.
func sumOf(path string, sum hash.Hash, packed bool) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", reason(err)
	}
	defer f.Close()
	in := io.Reader(bufio.NewReaderSize(f, 1<<16))
	if packed {
		if in, err = gzip.NewReader(in); err != nil {
			return "", errHash
		}
		in = io.LimitReader(in, mostUnpacked)
	}
	if _, err := io.Copy(sum, in); err != nil && packed {
		return "", errHash
	} else if err != nil {
		return "", reason(err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// mostUnpacked bounds what is unpacked of a file only to see its hash.
const mostUnpacked = 16 << 30

// sha256Form is a hash in a text that says it, alone or behind its name.
var sha256Form = regexp.MustCompile(`(?i)(?:^|[\s:=])([0-9a-f]{64})(?:$|\s)`)

// beside gets the hash that lies beside a file.
func (g *fetching) beside(ctx context.Context) (string, error) {
	u := hashAt(g.from, g.feed.Hash)
	failed := func(why error) error {
		return fmt.Errorf("its hash at %s cannot be read: %w", outside.Shown(u), why)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", failed(errors.New("its address cannot be asked"))
	}
	r.Header.Set("User-Agent", "Patchbay")
	answer, err := g.k.client.Do(r)
	if err != nil {
		return "", failed(outside.Reason(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", failed(fmt.Errorf("its publisher answered %d", answer.StatusCode))
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return "", failed(outside.Reason(err))
	}
	found := sha256Form.FindSubmatch(text)
	if found == nil {
		return "", failed(errors.New("there is no SHA-256 in it"))
	}
	return strings.ToLower(string(found[1])), nil
}

// hashAt is where the hash of a file is: at its address with an ending more, or, for .meta,
// with that in the place of .json.gz, as the NVD has it.
func hashAt(from *url.URL, ending string) *url.URL {
	u := *from
	u.RawPath = ""
	if ending == ".meta" {
		u.Path = strings.TrimSuffix(u.Path, ".json.gz")
	}
	u.Path += ending
	return &u
}
