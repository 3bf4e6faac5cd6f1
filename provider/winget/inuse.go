package winget

import (
	"context"
	"slices"
	"strings"

	"patchbay/provider"
)

var _ provider.Closer = (*Winget)(nil)

// InUse lists what runs from the folders of the programs in the request. A program that says
// nowhere where it lies is not found this way, and neither is one whose file is hidden.
func (w *Winget) InUse(ctx context.Context, r provider.Request) ([]provider.Process, error) {
	host, ok := w.env.Host.(provider.MachineHost)
	if !ok || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	programs, _, err := w.look()
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, u := range r.Updates {
		for _, p := range programs {
			if folder := p.entry.Folder(); p.item.Key() == u.Key() && folder != "" {
				folders = append(folders, folder)
			}
		}
	}
	if len(folders) == 0 {
		return nil, nil
	}
	return opened(host.Machine().Processes, folders), nil
}

// opened are the processes on desktops that run from one of the folders.
func opened(all []provider.Process, folders []string) []provider.Process {
	return slices.DeleteFunc(slices.Clone(all), func(p provider.Process) bool {
		return p.Session == 0 || !slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(strings.ToLower(p.Program), f) })
	})
}
