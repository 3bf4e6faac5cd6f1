package arp

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"patchbay/patch"
)

const (
	maxName   = 300 // characters of a name that are looked at
	maxPasses = 20  // after which a name is tidy enough
)

// Name is a program's name without what changes from release to release or from device to
// device: version, architecture, language, whose it is. What it keeps, it keeps as written:
// "7-Zip 24.07 (x64 edition)" is "7-Zip". It may be empty only where nothing can be read.
func Name(display string) string {
	name := plain(display)
	for range maxPasses {
		next := plain(tidy(name))
		if next == name || next == "" {
			break
		}
		name = next
	}
	return name
}

// Publisher is a publisher's name without its legal form: "Google LLC" is "Google".
func Publisher(display string) string {
	name := plain(display)
	for range maxPasses {
		next := plain(withoutForm(name))
		if next == name || next == "" {
			break
		}
		name = next
	}
	return name
}

// Fold makes two tidied names comparable: without case, and letters, digits and the signs
// that tell names apart ("C", "C++" and "C#") alone.
func Fold(name string) string {
	folded := patch.FoldCase(norm.NFKC.String(name))
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.L, unicode.N, unicode.M) || strings.ContainsRune("+#&", r) {
			return r
		}
		return -1
	}, folded))
}

// plain writes a text in its simplest letters, with single spaces and without signs of trade.
func plain(s string) string {
	s = strings.ToValidUTF8(s, "")
	for range maxPasses { // what is left out may join what stood beside it
		next := norm.NFKC.String(strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r):
				return ' '
			case strings.ContainsRune("®©™", r) || unicode.In(r, unicode.C):
				return -1
			}
			return r
		}, s))
		next = strings.Join(strings.Fields(next), " ")
		if runes := []rune(next); len(runes) > maxName {
			next = strings.TrimSpace(string(runes[:maxName]))
		}
		if next == s {
			break
		}
		s = next
	}
	return s
}

var (
	brackets = regexp.MustCompile(`\s*(\([^()\[\]]*\)|\[[^()\[\]]*\])`)
	// number is a version in a word: at least two numbers with a dot or a plus, or a v before one.
	number = regexp.MustCompile(`^(v\.?\d+|[a-z]{0,3}\d+(\.\d+)+|\d+\+\d+)([-+._~]?[0-9a-z]+)*\+?$`)
	trade  = regexp.MustCompile(`(?i)\((tm|r|c)\)`)
	bare   = regexp.MustCompile(`^v?[0-9][0-9a-z.+_-]*$`)
	// attached is a version behind a name, without a space between.
	attached = regexp.MustCompile(`(?i)[-_]v?\d+(\.\d+)+([-+._~]?(alpha|beta|rc|preview|pre|build|[a-z])?\d*)*$`)
	locale   = regexp.MustCompile(`^([a-z]{2,3})-(?:[a-z]{4}-)?([a-z]{2})$`)
)

// introduces are words that make a version of the number behind them.
var introduces = []string{"version", "versión", "versão", "versie", "wersja", "ver", "ver.", "v", "v.", "build", "update", "release", "revision", "rev", "rev."}

// architectures are words for them.
var architectures = map[string]string{
	"x64": "x64", "amd64": "x64", "x86_64": "x64", "x86-64": "x64", "64-bit": "x64", "64bit": "x64", "64bits": "x64", "64-bits": "x64", "win64": "x64", "64 bit": "x64", "64 bits": "x64",
	"x86": "x86", "i386": "x86", "i686": "x86", "32-bit": "x86", "32bit": "x86", "32bits": "x86", "32-bits": "x86", "win32": "x86", "ia32": "x86", "x32": "x86", "32 bit": "x86", "32 bits": "x86",
	"arm64": "arm64", "aarch64": "arm64",
}

// aside are words in brackets that say nothing of which program it is.
var aside = []string{"user", "users", "all", "current", "only", "machine", "machine-wide", "system", "per-user", "remove", "uninstall", "edition", "installer",
	"setup", "for", "windows", "win", "desktop", "msi", "exe"}

var languages = strings.Fields(`af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko
	lb lo lt lv mk ml mn mr ms mt nb ne nl nn no pa pl pt ro ru sk sl sq sr sv sw ta te th tr uk ur uz vi zh zu`)

var regions = strings.Fields(`ad ae af al am ar at au az ba bd be bg bh bo br by ca ch cl cn co cr cz de dk do dz ec ee eg es et fi fr gb ge gr gt hk hn hr hu
	id ie il in iq ir is it jo jp ke kh kr kw kz lb li lk lt lu lv ly ma mc me mk mn mo mt mx my ng ni nl no np nz om pa pe ph pk pl pr pt py qa ro rs ru sa se sg
	si sk sv sy th tn tr tt tw ua us uy uz ve vn ye za`)

func isLocale(word string) bool {
	m := locale.FindStringSubmatch(word)
	return m != nil && slices.Contains(languages, m[1]) && slices.Contains(regions, m[2])
}

// says is what a word alone says of the version, the architecture or the language.
func says(word string) bool {
	return number.MatchString(word) || architectures[word] != "" || isLocale(word)
}

// word is a word as it is compared: without case and what stands around it.
func word(s string) string { return strings.ToLower(strings.Trim(s, ",;:-–—|/ ")) }

// tidy takes one round of what does not belong to the name.
func tidy(name string) string {
	name = trade.ReplaceAllString(name, "")
	name = brackets.ReplaceAllStringFunc(name, func(b string) string {
		if begin := strings.HasPrefix(name, b); begin || !saysNothing(strings.Trim(b, " ()[]")) {
			return b
		}
		return " "
	})
	words := strings.Fields(name)
	kept := words[:min(1, len(words))]
	for i := 1; i < len(words); i++ {
		n := 0
		switch w := word(words[i]); {
		case i+1 < len(words) && slices.Contains(introduces, w) && bare.MatchString(word(words[i+1])):
			n = 2
		case i+1 < len(words) && architectures[w+" "+word(words[i+1])] != "":
			n = 2
		case says(w):
			n = 1
		}
		if n == 0 {
			kept = append(kept, words[i])
			continue
		}
		i += n - 1
		if i+1 < len(words) && word(words[i+1]) == "edition" {
			i++
		}
	}
	name = strings.Join(kept, " ")
	if at := attached.FindStringIndex(name); at != nil && at[0] > 0 {
		name = name[:at[0]]
	}
	return strings.TrimRight(name, " -–—,:;|_/")
}

// saysNothing reports whether what stands in brackets says only what a name is tidied of.
func saysNothing(inside string) bool {
	words := strings.FieldsFunc(strings.ToLower(inside), func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;/", r) })
	told := len(words) == 0
	for i := 0; i < len(words); i++ {
		switch w := word(words[i]); {
		case i+1 < len(words) && (architectures[w+" "+word(words[i+1])] != "" || slices.Contains(introduces, w) && bare.MatchString(word(words[i+1]))):
			i, told = i+1, true
		case says(w), slices.Contains(languages, w):
			told = true
		case slices.Contains(aside, w):
			told = told || w == "user" || w == "users" || w == "only" || w == "machine" || w == "per-user" || w == "machine-wide"
		default:
			return false
		}
	}
	return told
}

// withoutVersion takes versions out of a key's name, and nothing else: numbers without a dot
// may be what tells one program from another.
func withoutVersion(key string) string {
	if at := attached.FindStringIndex(key); at != nil && at[0] > 0 {
		key = key[:at[0]]
	}
	words := strings.Fields(key)
	kept := words[:min(1, len(words))]
	for _, w := range words[min(1, len(words)):] {
		if !number.MatchString(word(w)) {
			kept = append(kept, w)
		}
	}
	return strings.TrimRight(strings.Join(kept, " "), " -–—,:;|_/")
}

// ArchitectureOf is the architecture that a name speaks of, "" when it speaks of none or of
// more than one.
func ArchitectureOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(plain(name)), func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("()[],;/", r) })
	found := ""
	for i, w := range words {
		a := architectures[word(w)]
		if a == "" && i+1 < len(words) {
			a = architectures[word(w)+" "+word(words[i+1])]
		}
		if a != "" && found != "" && a != found {
			return ""
		}
		if a != "" {
			found = a
		}
	}
	return found
}

// forms are legal forms of companies, in small letters and without dots.
var forms = strings.Fields(`ab ag aps as asa bv bvba co company corp corporation cv doo eg ev eurl gesmbh gmbh inc incorporated kft kg kgaa kk lda limited llc llp lp ltd ltda
	mbh nv oao ohg oo ooo oy oyj plc pte pty pvt sa sarl sas sasu sca se sl slu snc sp spa spzoo srl sro ug zao zrt`)

// withoutForm takes the last legal form off a publisher's name.
func withoutForm(name string) string {
	for _, f := range []string{"株式会社", "有限公司", "有限责任公司", "股份有限公司", "(주)", "주식회사"} {
		name = strings.TrimSuffix(strings.TrimPrefix(name, f), f)
	}
	words := strings.Fields(name)
	for n := min(4, len(words)-1); n > 0; n-- { // "sp. z o.o." is one of several words
		last := strings.ToLower(strings.Join(words[len(words)-n:], ""))
		last = strings.NewReplacer(".", "", ",", "", "(", "", ")", "").Replace(last)
		if slices.Contains(forms, last) || last == "&" || last == "&co" || last == "and/oritsaffiliates" {
			return strings.TrimRight(strings.Join(words[:len(words)-n], " "), " ,;")
		}
	}
	return strings.TrimRight(name, " ,;")
}
