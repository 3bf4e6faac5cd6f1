package api

import (
	"context"
	"net"
	"net/http"
	"time"

	"patchbay/server/access"
)

// SessionState is who is signed in and what is needed before anything else.
type SessionState struct {
	Person       *Me    `json:"person,omitempty" doc:"Left out when nobody is signed in"`
	TOTPRequired bool   `json:"totp_required" doc:"A second factor must be set up before anything else answers"`
	SetupOpen    bool   `json:"setup_open" doc:"There is no administrator yet: the one-time link makes one"`
	Version      string `json:"version"`
	Installation string `json:"installation_name"`
}

// Me is the person who is signed in.
type Me struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	TOTP  bool   `json:"totp" doc:"A second factor is set up"`
}

// sessionOut is a session's state, with a cookie when it has just begun or ended.
type sessionOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      SessionState
}

const cookieName = access.CookieName

func (s *Server) session(ctx context.Context, _ *Empty) (*Out[SessionState], error) {
	state, err := s.sessionState(ctx, caller(ctx))
	return out(state), err
}

func (s *Server) sessionState(ctx context.Context, c access.Caller) (SessionState, error) {
	state := SessionState{Version: s.Version, Installation: s.Installation, TOTPRequired: c.TOTPRequired}
	if c.Person.ID != "" {
		state.Person = &Me{c.Person.ID, c.Person.Email, c.Person.Name, c.Person.TOTPAt != nil}
		return state, nil
	}
	var err error
	state.SetupOpen, err = s.Access.SetupOpen(ctx)
	return state, err
}

// SignIn is what a person signs in with.
type SignIn struct {
	Email    string `json:"email" minLength:"3" maxLength:"254"`
	Password string `json:"password" minLength:"1" maxLength:"200"`
	Code     string `json:"code,omitempty" maxLength:"10" doc:"From the authenticator app, when one is set up"`
}

func (s *Server) signIn(ctx context.Context, in *struct{ Body SignIn }) (*sessionOut, error) {
	r := request(ctx)
	c, cookie, err := s.Access.SignIn(ctx, in.Body.Email, in.Body.Password, in.Body.Code, s.Access.Address(r))
	if err != nil {
		return nil, refusedSignIn(err)
	}
	return s.begun(ctx, r, c, cookie)
}

func (s *Server) begun(ctx context.Context, r *http.Request, c access.Caller, secret string) (*sessionOut, error) {
	state, err := s.sessionState(ctx, c)
	return &sessionOut{SetCookie: s.cookie(r, secret, access.SessionLength), Body: state}, err
}

// cookie makes the session's cookie. It is marked Secure except where a person works on
// this very machine without HTTPS.
func (s *Server) cookie(r *http.Request, value string, length time.Duration) http.Cookie {
	return http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: int(length.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.Access.BeyondLoopback() || s.Access.Encrypted(r) || !loopback(r),
	}
}

func loopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}

func (s *Server) signOut(ctx context.Context, _ *Empty) (*struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}, error) {
	if err := s.Access.SignOut(ctx, caller(ctx)); err != nil {
		return nil, err
	}
	gone := s.cookie(request(ctx), "", 0)
	gone.MaxAge = -1
	return &struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}{gone}, nil
}

// Setup creates the first administrator.
type Setup struct {
	Token    string `json:"token" minLength:"1" maxLength:"100" doc:"From the one-time link"`
	Email    string `json:"email" minLength:"3" maxLength:"254" pattern:"^[^@\\s]+@[^@\\s]+$" patternDescription:"an email address"`
	Name     string `json:"name" minLength:"1" maxLength:"100"`
	Password string `json:"password" minLength:"12" maxLength:"200"`
}

func (s *Server) setup(ctx context.Context, in *struct{ Body Setup }) (*sessionOut, error) {
	r := request(ctx)
	name, err := cleanName("name", in.Body.Name)
	if err != nil {
		return nil, err
	}
	c, cookie, err := s.Access.Setup(ctx, access.First{
		Token: in.Body.Token, Email: in.Body.Email, Name: name, Password: in.Body.Password,
		Address: s.Access.Address(r),
	})
	if err != nil {
		return nil, refusedSignIn(err)
	}
	return s.begun(ctx, r, c, cookie)
}

// NewTOTP is what an authenticator app needs.
type NewTOTP struct {
	Secret string `json:"secret"`
	URI    string `json:"uri"`
	QR     string `json:"qr_svg"`
}

func (s *Server) newTOTP(ctx context.Context, _ *Empty) (*Out[NewTOTP], error) {
	t, err := s.Access.NewTOTP(ctx, caller(ctx))
	if err != nil {
		return nil, refusedSignIn(err)
	}
	return out(NewTOTP{t.Secret, t.URI, t.QR}), nil
}

// Code is a code from the authenticator app.
type Code struct {
	Code string `json:"code" minLength:"6" maxLength:"10"`
}

func (s *Server) confirmTOTP(ctx context.Context, in *struct{ Body Code }) (*sessionOut, error) {
	r := request(ctx)
	c, cookie, err := s.Access.ConfirmTOTP(ctx, caller(ctx), in.Body.Code, s.Access.Address(r))
	if err != nil {
		return nil, refusedSignIn(err)
	}
	return s.begun(ctx, r, c, cookie)
}

// PasswordChange is another password, and the present one as proof of who asks.
type PasswordChange struct {
	Old string `json:"old" minLength:"1" maxLength:"200"`
	New string `json:"new" minLength:"12" maxLength:"200"`
}

func (s *Server) changePassword(ctx context.Context, in *struct{ Body PasswordChange }) (*sessionOut, error) {
	r := request(ctx)
	c, cookie, err := s.Access.ChangePassword(ctx, caller(ctx), in.Body.Old, in.Body.New, s.Access.Address(r))
	if err != nil {
		return nil, refusedSignIn(err)
	}
	return s.begun(ctx, r, c, cookie)
}

// APIKey lets a program act as the person.
type APIKey struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	SeenAt    *time.Time `json:"seen_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Key       string     `json:"key,omitempty" doc:"The key itself; shown only once, when it is made"`
}

// NewKey is a wish for an API key.
type NewKey struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
	Days int    `json:"days,omitempty" minimum:"1" maximum:"366" default:"90"`
}

// APIKeys is a list of keys, short enough to need no pages.
type APIKeys struct {
	Items []APIKey `json:"items"`
}

func (s *Server) keys(ctx context.Context, _ *Empty) (*Out[APIKeys], error) {
	rows, err := s.Access.Keys(ctx, caller(ctx))
	list := APIKeys{Items: []APIKey{}}
	for _, k := range rows {
		list.Items = append(list.Items, APIKey{k.ID, k.Name, k.CreatedAt, k.ExpiresAt, k.SeenAt, k.RevokedAt, ""})
	}
	return out(list), err
}

func (s *Server) newKey(ctx context.Context, in *struct{ Body NewKey }) (*Out[APIKey], error) {
	name, err := cleanName("name", in.Body.Name)
	if err != nil {
		return nil, err
	}
	k, secret, err := s.Access.NewKey(ctx, caller(ctx), name, time.Duration(in.Body.Days)*24*time.Hour)
	if err != nil {
		return nil, err
	}
	return out(APIKey{k.ID, k.Name, k.CreatedAt, k.ExpiresAt, nil, nil, secret}), nil
}

// KeyPath names a key.
type KeyPath struct {
	Key string `path:"key" maxLength:"60"`
}

func (s *Server) revokeKey(ctx context.Context, in *KeyPath) (*Empty, error) {
	return nil, s.Access.RevokeKey(ctx, caller(ctx), in.Key)
}
