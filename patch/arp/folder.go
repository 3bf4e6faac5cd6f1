package arp

import "strings"

// Folder is where a program lies: as it says, or where its icon or its remover is. It is in
// lower case and ends with a backslash; "" when nothing says, or when much else lies there.
func (e Entry) Folder() string {
	folder := strings.Trim(e.Location, `" `)
	for _, file := range []string{e.Icon, e.Uninstall} {
		file = strings.TrimLeft(file, `" `)
		i := strings.LastIndexByte(file, '\\')
		if end := strings.Index(strings.ToLower(file), ".exe"); folder == "" && i > 0 && (end < 0 || i < end) {
			folder = file[:i]
		}
	}
	folder = strings.ToLower(strings.TrimRight(strings.ReplaceAll(folder, "/", `\`), `\`))
	// No folder at the top of a drive, and nothing of Windows itself: much else lies there.
	if strings.Count(folder, `\`) < 2 || folder[1] != ':' || strings.Contains(folder, `:\windows\`) {
		return ""
	}
	return folder + `\`
}
