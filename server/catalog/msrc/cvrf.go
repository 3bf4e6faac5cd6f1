package msrc

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
)

// tracking is which revision of a document it is.
type tracking struct {
	ID       string   `xml:"Identification>ID"`
	Current  string   `xml:"CurrentReleaseDate"`
	Revision []string `xml:"RevisionHistory>Revision>Number"`
}

// vulnerability is what is read of one. Texts for people are passed over.
type vulnerability struct {
	CVE     string `xml:"CVE"`
	Threats []struct {
		Type        string   `xml:"Type,attr"`
		Description string   `xml:"Description"`
		Products    []string `xml:"ProductID"`
	} `xml:"Threats>Threat"`
	Remediations []remediation `xml:"Remediations>Remediation"`
	Revisions    []string      `xml:"RevisionHistory>Revision>Date"`
}

// told is when a CVE was first told of, and when last; zero where nothing says.
func (v vulnerability) told() (first, last time.Time) {
	for _, s := range v.Revisions {
		at, err := instant(s)
		if err != nil || at.Year() < 1990 {
			continue
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last
}

// remediation is a thing to be done.
type remediation struct {
	Type         string   `xml:"Type,attr"`
	Description  string   `xml:"Description"`
	SubType      string   `xml:"SubType"`
	FixedBuild   string   `xml:"FixedBuild"`
	Supercedence string   `xml:"Supercedence"`
	Restart      string   `xml:"RestartRequired"`
	Products     []string `xml:"ProductID"`
}

// cvrf reads the document of a month, one vulnerability after the other.
type cvrf struct {
	Document
	part  *meter
	in    *xml.Decoder
	names map[string]string // of products, by ID
}

func readCVRF(r io.Reader) (Document, error) {
	c := &cvrf{names: map[string]string{}, part: &meter{in: r, left: maxBytes}}
	c.in = xml.NewDecoder(c.part)
	root, err := c.begin()
	if err != nil {
		return Document{}, xmlError(err)
	}
	if root.Name.Local != "cvrfdoc" {
		return Document{}, fmt.Errorf("it is XML, and no security document: it begins with %.40q", root.Name.Local)
	}
	for {
		switch t, err := c.in.Token(); t := t.(type) {
		case xml.StartElement:
			c.part.left = maxPart
			if err := c.element(t); err != nil {
				return Document{}, xmlError(err)
			}
		case xml.EndElement:
			return c.finish()
		case xml.Directive:
			return Document{}, errDirective
		default:
			if err != nil {
				return Document{}, xmlError(err)
			}
		}
	}
}

var errDirective = errors.New("it declares things of its own (DOCTYPE), as no security document does")

// begin finds the outermost element.
func (c *cvrf) begin() (xml.StartElement, error) {
	for {
		t, err := c.in.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.Directive:
			return xml.StartElement{}, errDirective
		}
	}
}

func (c *cvrf) element(t xml.StartElement) error {
	switch t.Name.Local {
	case "DocumentTracking":
		var of tracking
		if err := c.in.DecodeElement(&of, &t); err != nil {
			return err
		}
		return c.track(of)
	case "ProductTree":
		if c.Vulnerabilities > 0 {
			return errors.New("its products stand behind what is said of them")
		}
		return c.tree(1)
	case "Vulnerability":
		if c.ID == "" {
			return errors.New("it does not say which document it is before it tells of vulnerabilities")
		}
		var v vulnerability
		if err := c.in.DecodeElement(&v, &t); err != nil {
			return err
		}
		return c.vulnerability(v)
	}
	return c.in.Skip()
}

func (c *cvrf) track(t tracking) error {
	if c.ID = strings.TrimSpace(t.ID); !documentForm.MatchString(c.ID) {
		return fmt.Errorf("its ID is %.40q, and not a month such as 2026-Jan", c.ID)
	}
	for _, r := range t.Revision {
		whole, _, _ := strings.Cut(strings.TrimSpace(r), ".")
		n, err := strconv.ParseUint(whole, 10, 31)
		if err != nil {
			return fmt.Errorf("its revision %.40q is no number", r)
		}
		c.Revision = max(c.Revision, int(n))
	}
	var err error
	if c.Revised, err = instant(t.Current); err != nil {
		return fmt.Errorf("the time of its last release is %.40q, which is none", t.Current)
	}
	return nil
}

// instant reads a time that may have a zone; those without one are in UTC.
func instant(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", s)
	}
	return t, err
}

// tree reads the products, wherever in their families they stand.
func (c *cvrf) tree(depth int) error {
	const deepest = 32
	for depth > 0 {
		token, err := c.in.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if t.Name.Local != "FullProductName" {
				if depth++; depth > deepest {
					return fmt.Errorf("its products stand more than %d deep", deepest)
				}
				continue
			}
			var p struct {
				ID   string `xml:"ProductID,attr"`
				Name string `xml:",chardata"`
			}
			if err := c.in.DecodeElement(&p, &t); err != nil {
				return err
			}
			if c.names[p.ID] = strings.TrimSpace(p.Name); len(c.names) > maxNames {
				return fmt.Errorf("it has more than %d products", maxNames)
			}
		}
	}
	c.Products = len(c.names)
	return nil
}

func (c *cvrf) vulnerability(v vulnerability) error {
	c.Vulnerabilities++
	exploit, severity := patch.Unknown, map[string]patch.Severity{}
	for _, t := range v.Threats {
		switch t.Type {
		case "Exploit Status":
			exploit = exploited(t.Description)
		case "Severity":
			for _, id := range t.Products {
				if name := c.names[id]; name != "" {
					severity[name] = severity[name].Graver(severityOf(t.Description))
				}
			}
		}
	}
	mended := false
	for _, r := range v.Remediations {
		if r.Type != "Vendor Fix" {
			c.leave(NoFix)
			continue
		}
		mended = true
		f := r.fix(strings.TrimSpace(v.CVE), exploit)
		f.Released, f.Revised = v.told()
		if err := c.add(f, c.products(r.Products), func(p string, f *Fix) { f.Severity = patch.SeverityUnknown.Graver(severity[p]) }); err != nil {
			return err
		}
	}
	if !mended {
		c.Unmended++
	}
	return nil
}

// fix reads what a row says of the update.
func (r remediation) fix(cve string, exploit patch.Answer) Fix {
	f := Fix{CVE: cve, KB: strings.TrimSpace(r.Description), Kind: kindOf(r.SubType), Restart: answer(r.Restart), Exploited: exploit}
	f.Build, _ = ParseBuild(r.FixedBuild) // none is counted
	if old := strings.TrimSpace(r.Supercedence); kbForm.MatchString(old) && old != f.KB {
		f.Supersedes = old
	}
	return f
}

// products are the names of those that the document knows.
func (c *cvrf) products(ids []string) []string {
	var names []string
	for _, id := range ids {
		if name := c.names[strings.TrimSpace(id)]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

// finish looks that nothing is missing, and nothing follows.
func (c *cvrf) finish() (Document, error) {
	if c.ID == "" {
		return Document{}, errors.New("it does not say which document it is")
	}
	for {
		t, err := c.in.Token()
		if err == io.EOF {
			return c.Document, nil
		}
		if err != nil {
			return Document{}, xmlError(err)
		}
		if _, more := t.(xml.StartElement); more {
			return Document{}, errors.New("something follows behind its end")
		}
	}
}

// xmlError says what is wrong with a document in a sentence of bounded length.
func xmlError(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF"), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("it is cut short")
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: it is not XML: %.200s", syntax.Line, strings.ToValidUTF8(syntax.Msg, ""))
	}
	return err
}
