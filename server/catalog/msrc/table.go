package msrc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// tableRow is one CVE of a table, with its updates.
type tableRow struct {
	CVE     string `json:"cve"`
	Patches []struct {
		OS       string `json:"os"`
		KB       string `json:"kb"`
		Build    string `json:"fixedBuild"`
		Severity string `json:"severity"` // a score
		Exploit  string `json:"exploitStatus"`
	} `json:"patches"`
}

// readTable reads a table of CVEs and KBs, of the month that its name says. It has no kinds:
// its updates are cumulative ones.
func readTable(name string, r io.Reader) (Document, error) {
	d := Document{ID: monthInName.FindString(name), Table: true}
	if d.ID == "" {
		return Document{}, errors.New("its name does not say of which month it is, as CVE_KB_Mapping_2026-Aug.json does")
	}
	part := &meter{in: r, left: maxPart}
	in := json.NewDecoder(part)
	if _, err := in.Token(); err != nil {
		return Document{}, tableError(err)
	}
	products := map[string]bool{}
	for in.More() {
		part.left = maxPart
		var row tableRow
		if err := in.Decode(&row); err != nil {
			return Document{}, tableError(err)
		}
		d.Vulnerabilities++
		if len(row.Patches) == 0 {
			d.Unmended++
		}
		for _, p := range row.Patches {
			f := Fix{CVE: row.CVE, KB: strings.TrimPrefix(strings.TrimSpace(p.KB), "KB"), Kind: Cumulative, Severity: severityOfScore(p.Severity), Exploited: exploited(p.Exploit)}
			f.Build = tableBuild(p.Build)
			var names []string
			if p.OS != "" {
				names = []string{p.OS}
			}
			if err := d.add(f, names, nil); err != nil {
				return Document{}, err
			}
			if products[p.OS] = true; len(products) > maxNames {
				return Document{}, fmt.Errorf("it has more than %d products", maxNames)
			}
		}
	}
	if _, err := in.Token(); err != nil {
		return Document{}, tableError(err)
	}
	d.Products = len(products)
	return d, nil
}

// tableBuild reads a build, of a Windows also without the 10.0 before it.
func tableBuild(s string) Build {
	if strings.Count(s, ".") == 1 {
		s = "10.0." + s
	}
	b, _ := ParseBuild(s) // none is counted
	return b
}

func tableError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("it is cut short")
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: it is not JSON: %.200s", syntax.Offset, strings.ToValidUTF8(syntax.Error(), ""))
	case errors.As(err, &kind):
		return fmt.Errorf("byte %d: %.60s is a %.20s", kind.Offset, kind.Field, kind.Value)
	}
	return err
}
