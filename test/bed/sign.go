package bed

import (
	"context"
	"os"
	"path/filepath"
)

// signer holds an archive's throw-away keys: the one devices trust, and another.
type signer struct {
	dir    string
	public string // the trusted public key, armoured
}

const (
	rightKey = "right@example.invalid"
	wrongKey = "wrong@example.invalid"
)

func newSigner(ctx context.Context, dir string) (*signer, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	s := &signer{dir: dir}
	for _, who := range []string{rightKey, wrongKey} {
		if _, err := s.gpg(ctx, "--quick-gen-key", "Test bed, throw away <"+who+">", "ed25519", "sign", "never"); err != nil {
			return nil, err
		}
	}
	public, err := s.gpg(ctx, "--armor", "--export", rightKey)
	s.public = public
	return s, err
}

// sign returns the text with its signature around it.
func (s *signer) sign(ctx context.Context, text []byte, wrongly bool) ([]byte, error) {
	who := rightKey
	if wrongly {
		who = wrongKey
	}
	in := filepath.Join(s.dir, "text")
	if err := os.WriteFile(in, text, 0o600); err != nil {
		return nil, err
	}
	out, err := s.gpg(ctx, "--local-user", who, "--output", "-", "--clearsign", in)
	return []byte(out), err
}

func (s *signer) gpg(ctx context.Context, args ...string) (string, error) {
	fixed := []string{"--homedir", s.dir, "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}
	return run(ctx, "gpg", append(fixed, args...)...)
}

// endAgent ends the agent that gpg leaves running for the keys in dir.
func endAgent(dir string) {
	_, _ = run(context.Background(), "gpgconf", "--homedir", dir, "--kill", "gpg-agent") // it goes with its directory anyway
}
