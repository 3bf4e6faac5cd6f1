package service

import (
	"path/filepath"
	"strings"
)

// proxyPath is the file with the proxy that the service is to go through, as systemd reads
// variables. It lies with the key and goes with it.
func proxyPath(o Options) string { return filepath.Join(o.State, "proxy.env") }

// proxyFile is what the environment says of proxies, as systemd reads variables; "" when it
// says nothing. A value of several lines is none that a proxy's address can have.
func proxyFile(environment []string) string {
	var b strings.Builder
	for _, v := range environment {
		name, value, _ := strings.Cut(v, "=")
		switch strings.ToUpper(name) {
		case "HTTPS_PROXY", "NO_PROXY":
			if value != "" && !strings.ContainsAny(value, "\n\r\x00") {
				b.WriteString(name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(value) + "\"\n")
			}
		}
	}
	return b.String()
}
