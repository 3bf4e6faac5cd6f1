//go:build !windows

package host

import (
	"errors"

	"patchbay/patch"
)

var errNoHelper = errors.New("there is no helper for sessions on this system")

func showQuestion(helperQuestion) (int, error) { return -1, errNoHelper }
func presenting() patch.Answer                 { return patch.Unknown }
func closeWindows(process uint32) (int, error) { return 0, errNoHelper }
