// Command readme keeps the table of figures that the README shows.
//
// It takes the lines that the benches print (FIGURE name value unit compared-with value ratio
// bound) from standard input into docs/figures.tsv, each with its day and commit, in the place
// of what was measured of the same name before, and writes the table between the README's two
// marks anew. A figure that was not measured this time keeps its old day: nothing in the table
// is younger than it says.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	store := flag.String("store", "docs/figures.tsv", "where all figures are kept")
	readme := flag.String("readme", "README.md", "the page with the table")
	day := flag.String("day", "", "when these were measured, such as 2026-03-01")
	commit := flag.String("commit", "", "at which commit")
	flag.Parse()
	if err := run(*store, *readme, *day, *commit, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(store, readme, day, commit string, in io.Reader) error {
	if day == "" || commit == "" {
		return errors.New("say when and at which commit the figures were measured: -day, -commit")
	}
	kept, err := load(store)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if f, ok := parse(lines.Text()); ok {
			f.day, f.commit = day, commit
			kept = kept.with(f)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the figures: %w", err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	page, err := kept.into(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	if err := os.WriteFile(store, []byte(kept.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(readme, []byte(page), 0o644)
}

// load reads the figures that were kept; none are there the first time.
func load(store string) (figures, error) {
	data, err := os.ReadFile(store)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all figures
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 {
			continue // the heads
		}
		if len(f) != columns {
			return nil, fmt.Errorf("%s: line %d has %d fields, not %d", store, i+1, len(f), columns)
		}
		all = append(all, figure{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]})
	}
	return all, nil
}
