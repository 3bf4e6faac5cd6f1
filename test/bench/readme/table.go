package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// figure is one line, and when and at which commit it was measured. "-" is nothing.
type figure struct {
	name, value, unit, than, other, ratio, bound string
	day, commit                                  string
}

const columns = 9

// figures are in the order in which they first came.
type figures []figure

var form = regexp.MustCompile(`^FIGURE (\S+) (-?[0-9.]+) (\S+) (\S+) (\S+) (\S+) (\S+)$`)

func parse(line string) (figure, bool) {
	m := form.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return figure{}, false
	}
	return figure{name: m[1], value: m[2], unit: m[3], than: m[4], other: m[5], ratio: m[6], bound: m[7]}, true
}

// with puts a figure in the place of the one of its name.
func (all figures) with(f figure) figures {
	if i := slices.IndexFunc(all, func(o figure) bool { return o.name == f.name }); i >= 0 {
		all[i] = f
		return all
	}
	return append(all, f)
}

// String is the file that keeps them.
func (all figures) String() string {
	var b strings.Builder
	b.WriteString("figure\tvalue\tunit\tcompared with\tvalue\tratio\tbound\tday\tcommit\n")
	for _, f := range all {
		b.WriteString(strings.Join([]string{f.name, f.value, f.unit, f.than, f.other, f.ratio, f.bound, f.day, f.commit}, "\t") + "\n")
	}
	return b.String()
}

// The marks between which the README's table stands.
const (
	begin = "<!-- figures: written by make figures -->\n"
	end   = "<!-- end of figures -->"
)

// into writes the table into a page.
func (all figures) into(page string) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", errors.New("the marks of the table are missing")
	}
	return before + begin + all.table() + end + after, nil
}

// shown are the figures that the README shows, in its order, and what it calls them. A $1 is
// the number in the figure's name.
var shown = []struct {
	name  *regexp.Regexp
	label string
}{
	{regexp.MustCompile(`^crash_points_of_the_agent$`), "moments at which an agent was cut off: no outcome lost or told twice, nothing installed twice"},
	{regexp.MustCompile(`^crash_points_of_the_server$`), "moments at which a server was cut off: no acknowledgement lost, no command doubled"},
	{regexp.MustCompile(`^hard_stops_on_real_devices$`), "hard stops of real devices in the middle of an installation"},
	{regexp.MustCompile(`^faults_after_hard_stops$`), "after them: outcomes lost, double installs, false VERIFIED, devices left half-configured"},
	{regexp.MustCompile(`^simulated_agent-years$`), "simulated years of agents, server, network and clock"},
	{regexp.MustCompile(`^seeds$`), "seeds they were grown from"},
	{regexp.MustCompile(`^faults_a_year$`), "faults in each of those years"},
	{regexp.MustCompile(`^laws_broken$`), "laws broken in them"},
	{regexp.MustCompile(`^laws_broken_and_noticed$`), "laws broken on purpose that turned their test red"},
	{regexp.MustCompile(`^attacks_by_a_stolen_server$`), "attacks by a stolen server, none of which ran anything"},
	{regexp.MustCompile(`^undo_of_two_packages,_asked_to_proven$`), "undo of two packages, from the wish to the proof"},
	{regexp.MustCompile(`^journal_syncs_per_job$`), "syncs of the disk for one job"},
	{regexp.MustCompile(`^journal_time_per_job$`), "time of the disk for one job"},
	{regexp.MustCompile(`^scan_cpu$`), "scan of this machine"},
	{regexp.MustCompile(`^scan_cpu,_unchanged$`), "the same when nothing changed"},
	{regexp.MustCompile(`^facts_cpu,_300_processes$`), "what still runs old, looked for among 300 processes"},
	{regexp.MustCompile(`^import_of_(\w+)$`), "records of $1 read in a second"},
	{regexp.MustCompile(`^feeds,_peak_memory$`), "memory to read the extracts of all feeds, at most"},
	{regexp.MustCompile(`^first_match_of_(\d+)_packages$`), "a machine of $1 packages compared with advisories for the first time, CPU"},
	{regexp.MustCompile(`^one_of_them_changed$`), "the same when one package changed"},
	{regexp.MustCompile(`^none_of_them_changed$`), "the same when none did"},
	{regexp.MustCompile(`^(\d+)_advisories_in_memory$`), "memory of $1 advisories"},
	{regexp.MustCompile(`^new_advisory,_(\d+)_devices$`), "finding whom a new advisory names among $1 devices"},
	{regexp.MustCompile(`^index_of_(\d+)_devices$`), "memory of the index of $1 devices, of which three in twenty have 1,000 packages each"},
	{regexp.MustCompile(`^who_is_exposed,_API,_(\d+)_devices,_p95$`), "who is exposed to a CVE among $1 devices, over HTTP, 95 %"},
	{regexp.MustCompile(`^agent_idle_rss$`), "idle agent"},
	{regexp.MustCompile(`^agent_binary$`), "agent program, stripped"},
	{regexp.MustCompile(`^agent_program_for_Windows$`), "the same for Windows"},
	{regexp.MustCompile(`^scan_of_300_programs,_wine$`), "scan of 300 programs in the registry, on wine"},
	{regexp.MustCompile(`^unchanged_check-in$`), "unchanged check-in, both ways, above TLS"},
	{regexp.MustCompile(`^unchanged_check-ins$`), "unchanged check-ins per server CPU second"},
	{regexp.MustCompile(`^files_to_agents$`), "files to agents, per server CPU second"},
	{regexp.MustCompile(`^a_held_line,_of_(\d+)$`), "an agent's held line, of $1, with its check-ins'"},
	{regexp.MustCompile(`^wake_of_(\d+),_p99$`), "“now” for $1 agents: orders in hand, 99 %"},
	{regexp.MustCompile(`^wake_of_(\d+),_server$`), "what that costs the server"},
	{regexp.MustCompile(`^herd_of_(\d+),_99_%_back$`), "$1 agents back after the server was killed, 99 %"},
	{regexp.MustCompile(`^herd_of_\d+,_peak_of_retries$`), "their peak of retries"},
	{regexp.MustCompile(`^herd_of_\d+,_wasted_attempts$`), "their attempts that came to nothing"},
	{regexp.MustCompile(`^herd_of_\d+,_outcomes_lost$`), "their outcomes lost"},
	{regexp.MustCompile(`^3_servers,_herd_of_(\d+),_peak_of_retries$`), "$1 agents at three servers, one of them killed: peak of retries"},
	{regexp.MustCompile(`^3_servers,_herd_of_\d+,_outcomes_lost$`), "their outcomes lost"},
	{regexp.MustCompile(`^run_warm$`), "clean clone to a page with data"},
	{regexp.MustCompile(`^run_cold$`), "the same with an empty build cache"},
}

func (all figures) table() string {
	var b strings.Builder
	b.WriteString("| | measured | beside | bound | when |\n|---|---|---|---|---|\n")
	for _, s := range shown {
		for _, f := range all {
			if m := s.name.FindStringSubmatch(f.name); m != nil {
				label := s.label
				if len(m) > 1 {
					label = strings.ReplaceAll(label, "$1", grouped(m[1]))
				}
				b.WriteString("| " + label + " | " + f.measured() + " | " + f.beside() + " | " + f.held() + " | " + f.day + ", `" + f.commit + "` |\n")
			}
		}
	}
	return b.String()
}

func (f figure) measured() string { return strings.TrimSpace(grouped(f.value) + " " + words(f.unit)) }

func (f figure) beside() string {
	switch {
	case f.than == "-" || f.other == "-":
		return ""
	case f.ratio == "-":
		return fmt.Sprintf("%s %s", words(f.than), grouped(f.other))
	}
	return fmt.Sprintf("%s %s: %s×", words(f.than), grouped(f.other), f.ratio)
}

// held is the bound in words, and that it is not held where it is not.
func (f figure) held() string {
	if f.bound == "-" || len(f.bound) < 3 {
		return ""
	}
	text, ofRatio := strings.CutSuffix(f.bound[2:], "x")
	what, unit := f.value, ""
	if ofRatio {
		what, unit = f.ratio, "×"
	}
	limit, err := strconv.ParseFloat(text, 64)
	value, valueErr := strconv.ParseFloat(what, 64)
	sign, held := "≤", value <= limit
	if strings.HasPrefix(f.bound, ">=") {
		sign, held = "≥", value >= limit
	}
	said := sign + " " + grouped(text) + unit
	if err != nil || valueErr != nil || !held {
		said += ": **not held**"
	}
	return said
}

func words(s string) string { return strings.ReplaceAll(strings.Trim(s, "-"), "_", " ") }

// grouped writes 12000 as 12,000, and leaves out a zero behind the point.
func grouped(s string) string {
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if strings.Trim(fraction, "0") == "" {
		return whole
	}
	return whole + "." + fraction
}
