package api

import (
	"context"
	"net/http"
	"strings"

	"patchbay/server/catalog/advisory"
	"patchbay/server/view"
)

// FindingsParams are what the list of findings takes.
type FindingsParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
	Device   string `query:"device" maxLength:"60"`
}

func (s *Server) findings(_ context.Context, in *FindingsParams) (*Out[view.Page[view.ExposedTo]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	f.Customer, f.Site, f.Device = in.Customer, in.Site, in.Device
	return page(s.Fleet.Findings(f), f, s.Now()), nil
}

// FindingPath names a CVE, or an advisory that stands for none.
type FindingPath struct {
	Finding  string `path:"finding" maxLength:"100"`
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
}

func (s *Server) finding(ctx context.Context, in *FindingPath) (*Out[view.Exposure], error) {
	if !advisory.IsID(in.Finding) || !strings.Contains(in.Finding, "-") {
		return nil, problem(http.StatusNotFound, "This is neither a CVE number, such as CVE-2024-6387, nor the ID of an advisory.")
	}
	e := s.Fleet.Exposed(s.Now(), view.Filter{Customer: in.Customer, Site: in.Site}, in.Finding)
	var err error
	e.Mended, err = s.mended(ctx, in)
	return out(e), err
}

// mostMended is how many of the devices on which something was mended are listed.
const mostMended = 100

// mended says where a CVE was mended; of a site that is not told.
func (s *Server) mended(ctx context.Context, in *FindingPath) (m view.Mended, err error) {
	if in.Site != "" {
		return m, nil
	}
	h := s.Store.MSP(who(ctx))
	count, err := h.CountMended(ctx, in.Finding, in.Customer)
	if err != nil || count.Devices == 0 {
		return m, err
	}
	list, err := h.Mended(ctx, in.Finding, in.Customer, mostMended)
	m.Devices, m.First, m.Last = count.Devices, &count.First, &count.Last
	for _, one := range list {
		d, _ := s.Fleet.Device(s.Now(), one.Device)
		m.Newest = append(m.Newest, view.MendedDevice{Customer: view.Ref{ID: one.Customer, Name: d.Customer.Name}, Device: view.Ref{ID: one.Device, Name: d.Name},
			Item: one.Item, From: one.From, To: one.To, At: one.At})
	}
	return m, err
}

func (s *Server) deviceFindings(ctx context.Context, in *DevicePath) (*Out[view.DeviceFindings], error) {
	if _, _, err := s.found(ctx, in.Device); err != nil {
		return nil, err
	}
	return out(s.Fleet.DeviceFindings(in.Device)), nil
}
