package host

import "patchbay/patch"

// batteryBy says what a SYSTEM_POWER_STATUS of Windows means: whether the machine is fed, and
// whether it has a battery at all.
func batteryBy(line, flag byte) patch.Answer {
	const off, on, none, unknown = 0, 1, 128, 255
	switch {
	case line == on, flag != unknown && flag&none != 0:
		return patch.No
	case line == off:
		return patch.Yes
	}
	return patch.Unknown
}
