package host

import (
	"fmt"
	"math"
	"strings"
	"time"

	"patchbay/provider"
)

// guid gives an update's ID as provider.EngineID has it; "" where it is none.
func guid(text string) string {
	text = strings.ToLower(text)
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		text = strings.TrimSuffix(inner, "}")
	}
	if len(text) != 36 {
		return ""
	}
	for i, c := range []byte(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return ""
		}
	}
	return text
}

// engineDate is a time of Windows' automation, in days since the end of 1899, to the second. What lies
// before the first Windows is none: so "never" and broken dates are told.
func engineDate(days float64) time.Time {
	const first, last = 29_221, 2_958_466 // 1980, 10000
	if !(days >= first && days < last) {  // also what is no number
		return time.Time{}
	}
	whole, part := math.Modf(days)
	return time.Date(1899, 12, 30+int(whole), 0, 0, int(math.Round(part*86_400)), 0, time.UTC)
}

// engineSize is the whole part of a decimal of Windows' automation, 0 where it is no size.
func engineSize(scale, sign byte, high uint32, low uint64) int64 {
	if sign != 0 || high != 0 || scale > 28 {
		return 0
	}
	for ; scale > 0; scale-- {
		low /= 10
	}
	if low > math.MaxInt64 {
		return 0
	}
	return int64(low)
}

// exactly is the criterion for some revisions of updates and no others.
func exactly(ids []provider.EngineID) (string, error) {
	all := make([]string, len(ids))
	for i, id := range ids {
		if guid(id.Update) != id.Update || id.Update == "" || id.Revision < 0 {
			return "", fmt.Errorf("%q revision %d names no update", id.Update, id.Revision)
		}
		all[i] = fmt.Sprintf("UpdateID='%s' and RevisionNumber=%d", id.Update, id.Revision)
	}
	return strings.Join(all, " or "), nil
}
