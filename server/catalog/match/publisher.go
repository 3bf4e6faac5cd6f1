package match

import (
	"regexp"
	"strings"
)

// publishers are those that packages of other repositories name as their maintainers.
var publishers = []string{"NodeSource", "Google Cloud", "Kubernetes Authors", "Docker", "Microsoft", "HashiCorp", "MongoDB", "Elastic", "Grafana", "GitLab", "Zabbix", "PostgreSQL Global", "MariaDB Developers", "Oracle", "NVIDIA", "Google LLC", "The Chromium Authors", "Slack", "Zoom", "TeamViewer", "Proxmox"}

// foreignVersion is what their versions have in them.
var foreignVersion = regexp.MustCompile(`(?i)nodesource|\+deb\.sury|sury\.org|~ppa|\bppa\d|\.pgdg|\+maria|~debian\.\d+~|~ubuntu\.\d+`)

// Publisher names who made a package, where that is plainly not the distribution; else "".
func Publisher(maintainer, version string) string {
	for _, p := range publishers {
		if strings.HasPrefix(maintainer, p) {
			name, _, _ := strings.Cut(maintainer, " <")
			return name
		}
	}
	if m := foreignVersion.FindString(version); m != "" {
		if name, _, _ := strings.Cut(maintainer, " <"); name != "" {
			return name
		}
		return "another publisher"
	}
	return ""
}
