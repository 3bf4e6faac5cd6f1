package audit

import (
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/patch/arp"
)

// Ended is an installed program that its maker no longer mends.
type Ended struct {
	Provider     string `json:"provider"`
	Name         string `json:"name"`
	Architecture string `json:"architecture,omitempty"`
	Version      string `json:"version"`
	What         string `json:"what"`  // the product and line that ended
	Ended        string `json:"ended"` // the last day of support, YYYY-MM-DD
}

// life is a line of versions of a product with its last day of support, without a contract. A
// name that ends with * is a beginning; names are compared as arp.Fold writes them. No line
// is every version.
type life struct{ name, line, what, last string }

// lives are ends of support of programs of Windows that their makers published. A program that
// is not among them is not known to be supported.
//
// Microsoft: learn.microsoft.com/lifecycle, and dotnet.microsoft.com for .NET. Adobe:
// helpx.adobe.com, "Products and technical support periods" and "Flash Player end of life".
// Oracle: "Java SE Support Roadmap", the end of public updates. Python:
// devguide.python.org/versions. Node.js: the release schedule of nodejs/Release. PostgreSQL:
// postgresql.org/support/versioning. All but those of Adobe, Oracle, Silverlight and Windows
// Essentials were compared with what endoflife.date had in August 2026, and were the same.
func lives() []life {
	var all []life
	for year, last := range map[string]string{"2010": "2020-10-13", "2013": "2023-04-11", "2016": "2025-10-14", "2019": "2025-10-14"} {
		for _, edition := range []string{"Professional Plus", "Professional", "Standard", "Home and Business", "Home and Student"} {
			all = append(all, life{"Microsoft Office " + edition + " " + year, "", "Office " + year, last})
		}
		for _, product := range []string{"Visio", "Project"} {
			for _, edition := range []string{"Professional", "Standard"} {
				all = append(all, life{"Microsoft " + product + " " + edition + " " + year, "", product + " " + year, last})
			}
		}
	}
	for year, last := range map[string]string{"2008": "2019-07-09", "2008 R2": "2019-07-09", "2012": "2022-07-12", "2014": "2024-07-09", "2016": "2026-07-14"} {
		all = append(all, life{"Microsoft SQL Server " + year, "", "SQL Server " + year, last})
	}
	for line, last := range map[string]string{"1.0": "2019-06-27", "1.1": "2019-06-27", "2.0": "2018-10-01", "2.1": "2021-08-21", "2.2": "2019-12-23", "3.0": "2020-03-03",
		"3.1": "2022-12-13", "5.0": "2022-05-10", "6.0": "2024-11-12", "7.0": "2024-05-14", "8.0": "2026-11-10"} {
		for _, name := range []string{"Microsoft .NET Core Runtime", "Microsoft .NET Runtime", "Microsoft Windows Desktop Runtime", "Microsoft ASP.NET Core - Shared Framework",
			"Microsoft .NET Core SDK", "Microsoft .NET SDK"} {
			all = append(all, life{name, line, ".NET " + line, last})
		}
	}
	for line, last := range map[string]string{"2.7": "2020-01-01", "3.4": "2019-03-18", "3.5": "2020-09-30", "3.6": "2021-12-23", "3.7": "2023-06-27", "3.8": "2024-10-07", "3.9": "2025-10-31"} {
		all = append(all, life{"Python", line, "Python " + line, last})
	}
	for line, last := range map[string]string{"12": "2022-04-30", "14": "2023-04-30", "16": "2023-09-11", "18": "2025-04-30", "20": "2026-04-30"} {
		all = append(all, life{"Node.js", line, "Node.js " + line, last})
	}
	for line, last := range map[string]string{"9.6": "2021-11-11", "10": "2022-11-10", "11": "2023-11-09", "12": "2024-11-21", "13": "2025-11-13", "14": "2026-11-12"} {
		all = append(all, life{"PostgreSQL " + line, "", "PostgreSQL " + line, last})
	}
	return append(all,
		life{"Adobe Flash Player*", "", "Flash Player", "2020-12-31"},
		life{"Adobe Reader X*", "10", "Adobe Reader X", "2015-11-18"}, life{"Adobe Acrobat X*", "10", "Adobe Acrobat X", "2015-11-18"},
		life{"Adobe Reader XI*", "11", "Adobe Reader XI", "2017-10-15"}, life{"Adobe Acrobat XI*", "11", "Adobe Acrobat XI", "2017-10-15"},
		life{"Java 6", "", "Java 6", "2013-02-28"}, life{"Java 7", "", "Java 7", "2015-04-30"},
		life{"Java SE Development Kit 6", "", "Java 6", "2013-02-28"}, life{"Java SE Development Kit 7", "", "Java 7", "2015-04-30"},
		life{"Microsoft Silverlight", "", "Silverlight", "2021-10-12"},
		life{"Windows Live Essentials", "", "Windows Essentials", "2017-01-10"},
	)
}

// findEnded lists the programs whose support is over. A name alone tells what a program is
// here: who writes another's into the list says that the own program is out of support.
func (r *Report) findEnded(parts []Part, now time.Time) {
	if r.Device.OS != "windows" {
		return // of other systems a publisher mends what is in its release
	}
	known := lives()
	for _, p := range parts {
		for _, i := range p.Items {
			if l, ok := lifeOf(known, i); ok && over(l.last, now) {
				r.Unsupported = append(r.Unsupported, Ended{i.Provider, i.Name, i.Architecture, i.Version, l.what, l.last})
			}
		}
	}
	n := len(r.Unsupported)
	if n == 0 {
		return
	}
	var names []string
	for _, e := range r.Unsupported {
		if !slices.Contains(names, e.What) {
			names = append(names, e.What)
		}
	}
	shown := strings.Join(names[:min(5, len(names))], ", ")
	if len(names) > 5 {
		shown += " and others"
	}
	r.add("unsupported_programs", High, n, "%s from their makers any more: %s.", plural(n, "installed program gets no security updates", "installed programs get no security updates"), shown)
}

func lifeOf(known []life, i patch.Item) (life, bool) {
	name := arp.Fold(i.Name)
	n := slices.IndexFunc(known, func(l life) bool {
		want, begins := strings.CutSuffix(l.name, "*")
		return (name == arp.Fold(want) || begins && strings.HasPrefix(name, arp.Fold(want))) && (l.line == "" || arp.InLine(i.Version, l.line))
	})
	if n < 0 {
		return life{}, false
	}
	return known[n], true
}

// over reports whether a day, YYYY-MM-DD, is over.
func over(day string, now time.Time) bool {
	t, err := time.Parse(time.DateOnly, day)
	return err == nil && !now.Before(t.AddDate(0, 0, 1))
}
