// Command openapi writes the API's OpenAPI document to the file named as its argument. The
// console's typed client is generated from that file; a test fails when it is stale.
package main

import (
	"fmt"
	"os"

	"patchbay/server/api"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./server/api/openapi console/openapi.json")
		os.Exit(2)
	}
	doc, err := api.Document("dev")
	if err == nil {
		err = os.WriteFile(os.Args[1], doc, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
