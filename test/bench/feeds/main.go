// Command feeds measures how fast the readers of feeds are, and what memory reading all of
// them takes at most. It reads the extracts in a folder, one folder below for each feed: kev,
// epss, vulnrichment, nvd, endoflife, csaf, osv, msrc. What is not there is not measured.
//
//	FIGURE name value unit compared-with value ratio bound
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/csaf"
	"patchbay/server/catalog/dump"
	"patchbay/server/catalog/endoflife"
	"patchbay/server/catalog/epss"
	"patchbay/server/catalog/kev"
	"patchbay/server/catalog/msrc"
	"patchbay/server/catalog/nvd"
	"patchbay/server/catalog/osv"
	"patchbay/server/catalog/ssvc"
	"patchbay/test/bench/measure"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "feeds: give the folder with the extracts")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "feeds:", err)
		os.Exit(1)
	}
}

// part is a feed: its folder, what its files begin with, and how one is read.
type part struct {
	name, folder string
	begins       []string
	read         func(name string, in io.Reader) (records, refused int, err error)
}

func parts() []part {
	return []part{
		{"KEV", "kev", []string{"known_exploited_vulnerabilities.json", "known_exploited_vulnerabilities-"}, func(_ string, in io.Reader) (int, int, error) {
			r, err := kev.Read(in, func(kev.Entry) error { return nil })
			return r.Records, r.Refused, err
		}},
		{"EPSS", "epss", []string{"epss_scores-"}, func(_ string, in io.Reader) (int, int, error) {
			_, r, err := epss.Collect(in)
			return r.Records, r.Refused, err
		}},
		{"SSVC", "vulnrichment", []string{"kev-cve-records", "network-and-desktop-cve-records"}, func(_ string, in io.Reader) (int, int, error) {
			r, err := ssvc.Read(in, func(ssvc.Record) error { return nil })
			return r.Records, r.Refused, err
		}},
		{"NVD", "nvd", []string{"nvd-2.0-", "anchore-nvd-overrides.all"}, func(_ string, in io.Reader) (int, int, error) {
			r, err := nvd.Read(in, func(nvd.CVE) error { return nil })
			return r.Records, r.Refused, err
		}},
		{"endoflife", "endoflife", []string{"endoflife-products"}, func(_ string, in io.Reader) (int, int, error) {
			r, err := endoflife.Read(in, func(endoflife.Product) error { return nil })
			return r.Records, r.Refused, err
		}},
		{"CSAF", "csaf", []string{""}, func(_ string, in io.Reader) (int, int, error) {
			r, err := csaf.Read(in, func(d csaf.Document) error { d.Advisory(); return nil })
			return r.Records, r.Refused, err
		}},
		{"OSV", "osv", []string{""}, func(_ string, in io.Reader) (int, int, error) {
			r, err := osv.Read(in, func(advisory.Advisory) error { return nil })
			return r.Records, r.Refused, err
		}},
		{"MSRC", "msrc", []string{"cvrfDocument-", "CVE_KB_Mapping"}, func(name string, in io.Reader) (int, int, error) {
			d, err := msrc.Read(name, in)
			return len(d.Fixes), 0, err
		}},
	}
}

func run(folder string) error {
	for _, p := range parts() {
		if err := p.measure(folder); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return fmt.Errorf("asking for the memory: %w", err)
	}
	measure.Figure("feeds,_peak_memory", float64(used.Maxrss)/1024, "MB", "-", 0, "<=400")
	return nil
}

// measure reads all files of a feed one after the other.
func (p part) measure(folder string) error {
	files, err := p.files(filepath.Join(folder, p.folder))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(files) == 0 {
		fmt.Fprintf(os.Stderr, "%s: not measured, there are no extracts of it\n", p.name)
		return nil
	}
	if err != nil {
		return err
	}
	records, refused := 0, 0
	began := time.Now()
	for _, file := range files {
		err := dump.Each(file, func(name string, in io.Reader) error {
			n, bad, err := p.read(name, bufio.NewReaderSize(in, 1<<16))
			records, refused = records+n, refused+bad
			return err
		})
		if err != nil {
			return err
		}
	}
	took := time.Since(began)
	fmt.Fprintf(os.Stderr, "%s: %d records of %d files in %.2f s, %d refused\n", p.name, records, len(files), took.Seconds(), refused)
	measure.Figure("import_of_"+p.name, float64(records)/took.Seconds(), "rec/s", "-", 0, "-")
	return nil
}

func (p part) files(folder string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		base := filepath.Base(name)
		plain := strings.TrimSuffix(base, ".gz")
		if !strings.HasSuffix(plain, "json") && !strings.HasSuffix(plain, ".csv") && !strings.HasSuffix(plain, ".xml") {
			return nil
		}
		for _, begin := range p.begins {
			if strings.HasPrefix(base, begin) {
				list = append(list, name)
				break
			}
		}
		return nil
	})
	return list, err
}
