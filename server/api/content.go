package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"patchbay/server/content"
	"patchbay/server/store"
	"patchbay/server/view"
)

// Content is the store of files that agents install from.
type Content interface {
	List(ctx context.Context) ([]content.Entry, content.Usage, error)
	Show(ctx context.Context, sha256 string) (content.Entry, error)
	Add(ctx context.Context, by store.Who, f content.File, body io.Reader) error
	Remove(ctx context.Context, by store.Who, sha256 string) error
	Fetch(by store.Who, f content.File, address string) (content.Fetch, error)
	Fetches() []content.Fetch
}

// ContentParams are what the list of content takes.
type ContentParams struct {
	ListParams
	State  string `query:"state" enum:"here,missing"`
	Needed string `query:"needed" enum:"yes,no" doc:"Only what something needs, or nothing does"`
	Sort   string `query:"sort" enum:"name,-name,size,-size,added_at,-added_at,used_at,-used_at,turn,-turn" doc:"name by default"`
}

func (s *Server) contents(ctx context.Context, in *ContentParams) (*Out[view.Page[view.Content]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	entries, _, err := s.Content.List(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	var rows []view.Content
	for _, e := range entries {
		v := contentView(e, names)
		if (in.State == "" || in.State == v.State) && (in.Needed == "" || (in.Needed == "yes") == (v.Needed.Sentence != "")) &&
			matches(f.Q, v.Name, v.SHA256, v.Source, v.Needed.Catalog) {
			rows = append(rows, v)
		}
	}
	field, descending := f.Field("name")
	p := view.Paginate(rows, f, descending, func(v view.Content) string { return contentKey(v, field) }, func(v view.Content) string { return v.SHA256 })
	return page(p, f, s.Now()), nil
}

func contentKey(v view.Content, field string) string {
	switch field {
	case "size":
		return view.Number(v.Size)
	case "added_at":
		return view.Moment(&v.AddedAt)
	case "turn":
		return view.Number(cmp.Or(v.Turn, 1<<40)) // what stays is last
	case "used_at":
		return view.Moment(v.UsedAt)
	}
	return view.Fold(v.Name)
}

func contentView(e content.Entry, names names) view.Content {
	v := view.Content{SHA256: e.SHA256, Name: e.Name, Size: e.Size, Source: e.Source, AddedAt: e.AddedAt, AddedBy: names.person(e.AddedBy), UsedAt: e.UsedAt,
		State: "missing", Needed: view.NeededBy{Sentence: e.Needed(), Catalog: e.Named, Jobs: e.Jobs, Rollbacks: e.Rollbacks}, Turn: e.Turn, Young: e.Young}
	if e.Here {
		v.State = "here"
	}
	v.Can.Remove = v.Needed.Sentence
	return v
}

func (s *Server) contentUsage(ctx context.Context, _ *Empty) (*Out[view.ContentUsage], error) {
	entries, u, err := s.Content.List(ctx)
	if err != nil {
		return nil, err
	}
	v := view.ContentUsage{Files: u.Files, Used: u.Used, Needed: u.Needed, Coming: u.Coming, Budget: u.Budget, AsOf: s.Now()}
	for _, e := range entries {
		if !e.Here {
			v.Missing++
		}
	}
	return out(v), nil
}

// ContentPath names a file.
type ContentPath struct {
	SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$" patternDescription:"a SHA-256 in lower-case hex"`
}

func (s *Server) oneContent(ctx context.Context, in *ContentPath) (*Out[view.Content], error) {
	return s.showContent(ctx, in.SHA256)
}

func (s *Server) showContent(ctx context.Context, sha256 string) (*Out[view.Content], error) {
	e, err := s.Content.Show(ctx, sha256)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	return out(contentView(e, names)), err
}

// addContent takes a file as it comes. It is never held whole in memory.
func (s *Server) addContent(ctx context.Context, in *struct {
	ContentPath
	Name string `query:"name" maxLength:"300" doc:"Of the file, for people"`
}) (*Out[view.Content], error) {
	r := request(ctx)
	if r.ContentLength < 0 {
		return nil, problem(http.StatusLengthRequired, "Say how long the file is: send it with Content-Length.")
	}
	f := content.File{SHA256: in.SHA256, Size: r.ContentLength, Name: in.Name}
	if err := s.Content.Add(ctx, who(ctx), f, slow{r.Body, control(ctx)}); err != nil {
		return nil, err
	}
	return s.showContent(ctx, in.SHA256)
}

func (s *Server) removeContent(ctx context.Context, in *ContentPath) (*Empty, error) {
	return nil, s.Content.Remove(ctx, who(ctx), in.SHA256)
}

// FetchIn says where a file is to be fetched from.
type FetchIn struct {
	URL  string `json:"url" minLength:"1" maxLength:"4000" doc:"https only, and only from the internet, but for networks that the server was told of"`
	Size int64  `json:"size,omitempty" minimum:"1" doc:"Bytes, where known"`
	Name string `json:"name,omitempty" maxLength:"300" doc:"Of the file, for people; taken from the address when left out"`
}

func (s *Server) fetchContent(ctx context.Context, in *struct {
	ContentPath
	Body FetchIn
}) (*Out[view.ContentFetch], error) {
	f, err := s.Content.Fetch(who(ctx), content.File{SHA256: in.SHA256, Size: in.Body.Size, Name: in.Body.Name}, in.Body.URL)
	if err != nil {
		return nil, err
	}
	return out(fetchView(f)), nil
}

// ContentFetches are the files that the server that was asked gets, or got, by itself.
type ContentFetches struct {
	Items []view.ContentFetch `json:"items" doc:"The newest first"`
	AsOf  time.Time           `json:"as_of"`
}

func (s *Server) contentFetches(context.Context, *Empty) (*Out[ContentFetches], error) {
	v := ContentFetches{Items: []view.ContentFetch{}, AsOf: s.Now()}
	for _, f := range s.Content.Fetches() {
		v.Items = append(v.Items, fetchView(f))
	}
	return out(v), nil
}

func fetchView(f content.Fetch) view.ContentFetch {
	return view.ContentFetch{SHA256: f.SHA256, Name: f.Name, Address: f.Address, State: f.State, Received: f.Received, Size: f.Size, Error: f.Error,
		AskedBy: f.By.Name, AskedAt: f.AskedAt, EndedAt: f.EndedAt}
}

// refusedContent gives the kinds of refusal of content their status.
func refusedContent(r *content.Refusal) *Problem {
	status := http.StatusUnprocessableEntity
	for _, of := range []struct {
		kind   error
		status int
	}{{content.ErrTooLarge, http.StatusRequestEntityTooLarge}, {content.ErrFull, http.StatusInsufficientStorage},
		{content.ErrNeeded, http.StatusConflict}, {content.ErrBusy, http.StatusServiceUnavailable}} {
		if errors.Is(r, of.kind) {
			status = of.status
		}
	}
	p := problem(status, r.Sentence)
	switch {
	case status == http.StatusServiceUnavailable:
		p.wait = 60
	case errors.Is(r, content.ErrAddress):
		return wrong("url", r.Sentence)
	case status == http.StatusUnprocessableEntity:
		p.Errors = []ProblemField{{"body", r.Sentence}}
	}
	return p
}

// chunkTime is how long a part of a body that is not bounded as a whole may take.
const chunkTime = time.Minute

// slow is a body that may take its time as a whole, though not between two reads.
type slow struct {
	io.Reader
	control *http.ResponseController
}

// Read reads what comes within a minute, and gives the answer more time as well.
func (s slow) Read(p []byte) (int, error) {
	// Best effort: a connection without deadlines is ended by its context.
	_ = s.control.SetReadDeadline(time.Now().Add(chunkTime))
	_ = s.control.SetWriteDeadline(time.Now().Add(2 * chunkTime))
	return s.Reader.Read(p)
}
