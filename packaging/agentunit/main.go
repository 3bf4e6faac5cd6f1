// Command agentunit prints the systemd unit that the agent's Debian package brings: the one
// that patchbay-agent install writes, waiting until the machine has been enrolled.
package main

import (
	"fmt"
	"strings"

	"patchbay/agent/service"
	"patchbay/wire"
)

const state = "/var/lib/patchbay-agent"

func main() {
	unit := service.Unit("/usr/bin/patchbay-agent", service.Options{State: state, Mode: wire.Manage})
	fmt.Print(strings.Replace(unit, "[Unit]\n", "[Unit]\nConditionPathExists="+state+"/identity.json\n", 1))
}
