//go:build !linux

package cli

import "io"

// hideInput leaves the terminal as it is: what is typed shows.
func hideInput(io.Reader) (restore func()) { return func() {} }
