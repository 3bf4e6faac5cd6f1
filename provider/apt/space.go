package apt

import (
	"context"
	"fmt"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// reserve is what stays free on every file system that an installation writes to.
const reserve = 32 << 20

// archives is where apt keeps what it fetched.
const archives = "/var/cache/apt/archives"

// unpacked is the size on the disk of the largest version that is wanted: while dpkg
// unpacks it, the old one is still there.
func (a *Apt) unpacked(updates []patch.Update) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	var largest int64
	for _, u := range updates {
		for _, o := range a.last.index.byName[u.Name] {
			if o.version == u.Available {
				largest = max(largest, o.unpacked)
			}
		}
	}
	return largest
}

// room is one file system and what is free on it.
type room struct {
	mount string
	free  int64
}

// checkSpace refuses what would fill a disk in the middle. apt itself only looks at its
// own folder.
func (a *Apt) checkSpace(ctx context.Context, p plan, largest int64, unpack bool) error {
	need := map[string]int64{archives: p.download + reserve}
	if unpack {
		need["/usr"] = max(0, p.growth) + largest + reserve
		need["/var/lib/dpkg"] = reserve
	}
	total, free := map[string]int64{}, map[string]int64{}
	for dir, bytes := range need {
		r, err := a.freeSpace(ctx, dir)
		if err != nil {
			a.env.Log.Warn("free space is not known", "folder", dir, "error", err)
			continue // apt and dpkg look again themselves
		}
		if bytes == reserve {
			total[r.mount] = max(total[r.mount], reserve)
		} else {
			total[r.mount] = max(total[r.mount], reserve) + bytes - reserve
		}
		free[r.mount] = r.free
	}
	for mount, bytes := range total {
		if free[mount] < bytes {
			return fmt.Errorf("%w: not enough space on %s: %s are free, %s are needed (%s to download, and a reserve of %s)",
				provider.ErrRefused, mount, amount(free[mount]), amount(bytes), amount(p.download), amount(reserve))
		}
	}
	return nil
}

func (a *Apt) freeSpace(ctx context.Context, dir string) (room, error) {
	res, err := a.env.Host.Run(ctx, provider.Command{Args: []string{"df", "--block-size=1", "--output=avail,target", dir}})
	if err != nil {
		return room{}, err
	}
	return parseFree(res)
}

// parseFree reads df's second line: the number, then the mount point.
func parseFree(res provider.Result) (room, error) {
	lines := provider.LastLines(res.Stdout, 2)
	if res.Code != 0 || len(lines) != 2 {
		return room{}, fmt.Errorf("df: %s", words(res))
	}
	number, mount, ok := strings.Cut(lines[1], " ")
	if !ok || strings.Trim(number, "0123456789") != "" {
		return room{}, fmt.Errorf("df says %.80q", lines[1])
	}
	return room{strings.TrimSpace(mount), parseCount([]byte(number))}, nil
}

// amount writes bytes for people.
func amount(n int64) string {
	switch {
	case n >= 10e9:
		return fmt.Sprintf("%d GB", n/1e9)
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 10e6:
		return fmt.Sprintf("%d MB", n/1e6)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d kB", (n+999)/1000)
}
