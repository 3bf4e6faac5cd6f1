package kinds

import _ "embed"

// public are the addresses at which publishers have their feeds.
//
//go:embed public.json
var public []byte

// Public is the configuration with the publishers' own addresses.
func Public() []byte { return public }
