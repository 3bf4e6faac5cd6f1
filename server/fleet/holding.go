package fleet

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// mostFew is how many devices stand in a list before they become a set.
const mostFew = 64

// holding are the devices that have one inventory, by number. Few devices are a sorted list:
// most inventories are of one device, and a set for each of a hundred thousand costs more time
// to look into than all else.
type holding struct {
	few  []uint32
	many *roaring.Bitmap // nil as long as they are few
}

func (h *holding) add(n uint32) {
	if h.many != nil {
		h.many.Add(n)
		return
	}
	i, found := slices.BinarySearch(h.few, n)
	if found {
		return
	}
	if h.few = slices.Insert(h.few, i, n); len(h.few) > mostFew {
		h.many, h.few = roaring.BitmapOf(h.few...), nil
	}
}

func (h *holding) remove(n uint32) {
	if h.many != nil {
		h.many.Remove(n)
		return
	}
	if i, found := slices.BinarySearch(h.few, n); found {
		h.few = slices.Delete(h.few, i, i+1)
	}
}

func (h *holding) empty() bool { return len(h.few) == 0 && (h.many == nil || h.many.IsEmpty()) }
