package api

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"patchbay/server/view"
)

// despite refuses to set aside a recall that holds nothing up of what is approved: who names one
// means a recall that was looked at.
func despite(w ApprovalWish, needs []view.Need) error {
	for i, key := range w.Despite {
		holds := slices.ContainsFunc(needs, func(n view.Need) bool {
			return slices.ContainsFunc(n.Held, func(r view.Recall) bool { return r.Key == key })
		})
		if !holds {
			return wrong(fmt.Sprintf("despite[%d]", i), "No such recall holds this update up here.")
		}
	}
	return nil
}

// heldUp are the recalls that hold up what is approved and that the answer does not set aside.
func heldUp(w ApprovalWish, needs []view.Need) []PreviewRecall {
	list := []PreviewRecall{}
	if w.Answer != "approve" {
		return list
	}
	devices := map[string]map[string]bool{}
	for _, n := range needs {
		for _, r := range n.Held {
			if slices.Contains(w.Despite, r.Key) {
				continue
			}
			if devices[r.Key] == nil {
				devices[r.Key] = map[string]bool{}
				list = append(list, PreviewRecall{Recall: r})
			}
			devices[r.Key][n.Device.ID] = true
		}
	}
	for i := range list {
		list[i].Devices = len(devices[list[i].Key])
	}
	slices.SortFunc(list, func(a, b PreviewRecall) int {
		return cmp.Or(b.Devices-a.Devices, strings.Compare(a.Key, b.Key))
	})
	return list[:min(20, len(list))]
}
