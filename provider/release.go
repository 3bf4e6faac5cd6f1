package provider

import (
	"fmt"
	"strconv"
	"strings"
)

// WindowsKey is where Windows keeps what it is.
const WindowsKey = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`

// maxReleaseText bounds what is taken of a text there.
const maxReleaseText = 200

// WindowsVersion is the version of a Windows in what is under WindowsKey, with the number of
// its last update: 10.0.19045.4170. It is "" where that does not say.
func WindowsVersion(k RegistryKey) string {
	build := Calm(k.Value("CurrentBuildNumber").Text, maxReleaseText)
	if build == "" {
		return ""
	}
	v := strings.TrimSuffix(Calm(k.Value("CurrentVersion").Text, maxReleaseText), ".") + "." + build // before Windows 10
	if major, ok := k.Find("CurrentMajorVersionNumber"); ok {
		v = fmt.Sprintf("%d.%d.%s", major.Number, k.Value("CurrentMinorVersionNumber").Number, build)
	}
	if ubr, ok := k.Find("UBR"); ok {
		v += "." + strconv.FormatUint(ubr.Number, 10)
	}
	return v
}

// firstOf11 is the build from which on a client is Windows 11, which its own name does not say.
const firstOf11 = 22000

// WindowsName is what people call a Windows: "Windows 11 Pro 23H2"; "" where it does not say.
func WindowsName(k RegistryKey) string {
	name := Calm(k.Value("ProductName").Text, maxReleaseText)
	build, _ := strconv.Atoi(k.Value("CurrentBuildNumber").Text) // none: no 11
	if build >= firstOf11 {
		name = strings.Replace(name, "Windows 10", "Windows 11", 1)
	}
	if v := Calm(k.Value("DisplayVersion").Text, maxReleaseText); v != "" && name != "" {
		name += " " + v
	}
	return name
}
