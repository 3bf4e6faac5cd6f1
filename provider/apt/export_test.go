package apt

import (
	"context"

	"patchbay/patch"
)

// Repack packs an installed package again and gives the file's place on the device.
func (a *Apt) Repack(ctx context.Context, item patch.Item) (string, error) {
	k := kept{name: item.Name, version: item.Version, arch: item.Architecture, end: keptFile}
	if err := a.do(ctx, "", "mkdir", "--parents", "--", "/"+keptDir); err != nil {
		return "", err
	}
	return k.path() + drafted, a.repack(ctx, k)
}
