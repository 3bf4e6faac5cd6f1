package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"patchbay/provider"
	"patchbay/wire"
)

// readFacts says what this machine is.
func readFacts(_ context.Context, _ provider.Host) (wire.Facts, error) {
	name, err := os.Hostname()
	if err != nil {
		return wire.Facts{}, fmt.Errorf("reading the host name: %w", err)
	}
	return wire.Facts{Hostname: name, OS: runtime.GOOS, Architecture: runtime.GOARCH}, nil
}
