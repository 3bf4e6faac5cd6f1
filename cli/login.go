package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/view"
)

// login is what is kept between commands, readable by this account only.
type login struct {
	Server string `json:"server"`
	Key    string `json:"key"`
	KeyID  string `json:"key_id,omitempty"`
	CA     string `json:"ca,omitempty"` // PEM
}

func loginFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the place for the login: %w", err)
	}
	return filepath.Join(dir, "patchbay", "login.json"), nil
}

// readLogin gives the last login; the zero one when there is none.
func readLogin() (login, error) {
	var l login
	name, err := loginFile()
	if err != nil {
		return l, nil // no home directory: only flags and environment count
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("reading the login: %w", err)
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("reading the login in %s: %w; run patchbay login again", name, err)
	}
	return l, nil
}

// save keeps the login whole or not at all, and never readable by others.
func (l login) save() error {
	name, err := loginFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("saving the login: %w", err)
	}
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("saving the login: %w", err)
	}
	if err := replaceFile(name, b); err != nil {
		return fmt.Errorf("saving the login: %w", err)
	}
	return nil
}

// authority reads the PEM that --ca names, or gives the saved one; nil is the system's.
func (g *Globals) authority(saved string) ([]byte, error) {
	if g.CA != "" {
		b, err := os.ReadFile(g.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the authority: %w", err)
		}
		return b, nil
	}
	if saved != "" {
		return []byte(saved), nil
	}
	return nil, nil
}

// Login signs in.
type Login struct {
	Email string `help:"Who signs in; asked for when left out."`
	Days  int    `help:"For how many days the key works." default:"90"`
	Name  string `help:"What the key is called in the console." default:"command line"`
}

// Run asks for what is missing, signs in once, and keeps an API key instead of the password.
func (l *Login) Run(ctx context.Context, g *Globals) error {
	saved, err := readLogin()
	if err != nil {
		return err
	}
	server := g.Server
	if server == "" {
		server = saved.Server
	}
	if server == "" {
		return errors.New("say which server: patchbay login --server https://patchbay.example")
	}
	ca, err := g.authority("")
	if err != nil {
		return err
	}
	c, err := client.New(server, "", ca)
	if err != nil {
		return err
	}
	in := bufio.NewReader(g.In)
	if l.Email == "" {
		if l.Email, err = ask(g, in, "Email: "); err != nil {
			return err
		}
	}
	password, err := askSecret(g, in, "Password: ")
	if err != nil {
		return err
	}
	cookies, err := signIn(ctx, g, c, in, l.Email, password)
	if err != nil {
		return err
	}
	var key api.APIKey
	if _, err := c.Do(ctx, http.MethodPost, "/me/keys", nil, api.NewKey{Name: l.Name, Days: l.Days}, &key, cookies...); err != nil {
		return err
	}
	if _, err := c.Do(ctx, http.MethodDelete, "/session", nil, nil, nil, cookies...); err != nil {
		return err
	}
	if err := (login{Server: server, Key: key.Key, KeyID: key.ID, CA: string(ca)}).save(); err != nil {
		return err
	}
	return g.say("Signed in. The key works until " + key.ExpiresAt.Local().Format("2006-01-02") + ".")
}

// signIn opens a session, asking for a code when the server wants one.
func signIn(ctx context.Context, g *Globals, c *client.Client, in *bufio.Reader, email, password string) ([]*http.Cookie, error) {
	body := api.SignIn{Email: email, Password: password}
	cookies, err := c.Do(ctx, http.MethodPost, "/session", nil, body, nil)
	var p *client.Problem
	if errors.As(err, &p) && p.Type == "code-required" {
		if body.Code, err = ask(g, in, "Code: "); err != nil {
			return nil, err
		}
		cookies, err = c.Do(ctx, http.MethodPost, "/session", nil, body, nil)
	}
	return cookies, err
}

// ask reads one line.
func ask(g *Globals, in *bufio.Reader, question string) (string, error) {
	fmt.Fprint(os.Stderr, question)
	line, err := in.ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// askSecret reads one line without showing it, where the terminal allows.
func askSecret(g *Globals, in *bufio.Reader, question string) (string, error) {
	restore := hideInput(g.In)
	defer restore()
	return ask(g, in, question)
}

// AskSecret asks for one line that the terminal does not show.
func (g *Globals) AskSecret(question string) (string, error) {
	return askSecret(g, bufio.NewReader(g.In), question)
}

// Logout signs out.
type Logout struct{}

// Run revokes the key and forgets it. A server that cannot be reached does not keep the
// key on this machine.
func (Logout) Run(ctx context.Context, g *Globals) error {
	saved, err := readLogin()
	if err != nil || saved.Key == "" {
		return err
	}
	c, err := g.connect()
	if err == nil && saved.KeyID != "" {
		_, err = c.Do(ctx, http.MethodDelete, "/me/keys/"+saved.KeyID, nil, nil, nil)
	}
	if saveErr := (login{Server: saved.Server, CA: saved.CA}).save(); saveErr != nil {
		return errors.Join(err, saveErr)
	}
	if err != nil {
		return fmt.Errorf("the key is forgotten here, but the server did not revoke it; do so in the console: %w", err)
	}
	return g.say("Signed out.")
}

// Status says how things stand.
type Status struct {
	Customer string `help:"Only this customer."`
}

// Run prints the overview.
func (s *Status) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	id, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	o, err := client.Get[view.Overview](ctx, c, "/overview", query("customer", id))
	if err != nil {
		return err
	}
	return g.show(o, func(t *table) {
		t.row(o.Sentence)
		t.row(fmt.Sprintf("Verified: %d of %d needs on %d enrolled devices, %d of them silent.", o.Posture.Verified, o.Posture.Needs, o.Posture.Devices, o.Posture.Silent))
		for _, a := range o.Attention {
			t.row("- " + a.Sentence)
		}
	})
}
