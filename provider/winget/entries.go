package winget

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"patchbay/patch/arp"
	"patchbay/provider"
	"patchbay/provider/winget/hive"
)

// Where Windows keeps what is installed.
const (
	machineList  = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	userList     = `Software\Microsoft\Windows\CurrentVersion\Uninstall`
	machineCodes = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UpgradeCodes`
	userCodes    = `Software\Microsoft\Installer\UpgradeCodes`
)

// maxHive is the largest registry file of a person that is read, in bytes.
const maxHive = 512 << 20

// entries reads the lists of the machine and of every person. One person's list that cannot
// be read does not hide the others: the note says so, and what was read of it last stays.
func (w *Winget) entries() (all []arp.Entry, notes []string, err error) {
	codes, err := w.upgradeCodes(machineCodes)
	if err != nil {
		return nil, nil, err
	}
	for _, view := range []provider.View{provider.View64, provider.View32} {
		found, err := w.list(machineList, view, codes)
		if err != nil && !(view == provider.View32 && errors.Is(err, fs.ErrNotExist)) {
			return nil, nil, fmt.Errorf("reading the list of programs: %w", err)
		}
		for _, e := range found {
			e.View = int(view)
			if !slices.ContainsFunc(all, func(o arp.Entry) bool { o.View = e.View; return o == e }) { // a 32-bit Windows has one list
				all = append(all, e)
			}
		}
	}
	people, err := provider.People(w.host)
	if err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range people {
		found, note, err := w.ofPerson(p)
		if err != nil {
			note = fmt.Sprintf("What %s has installed could not be read: %v.", p.Name, err)
			found = w.users[p.SID]
		}
		if note != "" {
			notes = append(notes, note)
		}
		w.users[p.SID] = found
		all = append(all, found...)
	}
	return all, notes, nil
}

// list reads one list of the registry.
func (w *Winget) list(path string, view provider.View, codes map[string]string) ([]arp.Entry, error) {
	keys, err := provider.RegistryBelow(w.host, path, view)
	if err != nil {
		return nil, err
	}
	var found []arp.Entry
	for _, key := range keys {
		if key.Err != nil {
			return nil, key.Err
		}
		found = append(found, entry(key.Name, key.RegistryKey, codes))
	}
	return found, nil
}

func entry(name string, key provider.RegistryKey, codes map[string]string) arp.Entry {
	e := arp.Read(name, values(key))
	if e.MSI && e.UpgradeCode == "" {
		e.UpgradeCode = codes[strings.ToUpper(name)]
	}
	return e
}

// values gives a key's values as entries are read from them.
func values(key provider.RegistryKey) arp.Values {
	return arp.Values{
		Text:   func(name string) string { return key.Value(name).Text },
		Number: func(name string) uint64 { return key.Value(name).Number },
		List:   func(name string) []string { return key.Value(name).List },
	}
}

// ofPerson reads the list of one person: from the registry while it is loaded, otherwise
// from its file.
func (w *Winget) ofPerson(p provider.Person) (found []arp.Entry, note string, err error) {
	root := `HKU\` + p.SID
	codes, err := w.upgradeCodes(root + `\` + userCodes)
	if err != nil {
		return nil, "", err
	}
	found, err = w.list(root+`\`+userList, provider.View64, codes)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err = w.host.Registry(root, provider.View64); errors.Is(err, fs.ErrNotExist) {
			found, note, err = w.fromFile(p)
		}
	}
	for i := range found {
		found[i].User = p.Name
	}
	return found, note, err
}

// fromFile reads the list of a person who is logged off.
func (w *Winget) fromFile(p provider.Person) (found []arp.Entry, note string, err error) {
	path, ok := p.Home()
	if !ok {
		return nil, fmt.Sprintf("What %s has installed is not known: the profile is not on the system's drive.", p.Name), nil
	}
	f, err := w.host.Files().Open(path + "/NTUSER.DAT")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	r, ok := f.(io.ReaderAt)
	if !ok || !info.Mode().IsRegular() || info.Size() > maxHive {
		return nil, "", errors.New("its registry file is not a plain one, or too large")
	}
	h, err := hive.Open(r, info.Size())
	if err != nil {
		return nil, "", err
	}
	if h.Dirty {
		note = fmt.Sprintf("The last changes of what %s has installed may be missing: Windows ended while it wrote them.", p.Name)
	}
	codes := map[string]string{}
	below, err := h.Below(userCodes)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	for name, key := range below {
		addCodes(codes, name, key)
	}
	keys, err := h.Below(userList)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, note, nil
	}
	if err != nil {
		return nil, "", err
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		found = append(found, entry(name, keys[name], codes))
	}
	return found, note, nil
}

// upgradeCodes maps product codes, in capitals, to their upgrade codes.
func (w *Winget) upgradeCodes(path string) (map[string]string, error) {
	codes := map[string]string{}
	keys, err := provider.RegistryBelow(w.host, path, provider.View64)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading upgrade codes: %w", err)
	}
	for _, key := range keys {
		if key.Err != nil {
			return nil, fmt.Errorf("reading upgrade codes: %w", key.Err)
		}
		addCodes(codes, key.Name, key.RegistryKey)
	}
	return codes, nil
}

func addCodes(codes map[string]string, name string, key provider.RegistryKey) {
	upgrade, ok := unpacked(name)
	if !ok {
		return
	}
	for product := range key.Values {
		if code, ok := unpacked(product); ok {
			codes[code] = upgrade
		}
	}
}

// unpacked writes a code as people know it. Windows Installer keeps codes with their digits
// turned around: those of the first three groups each as a whole, the others in pairs.
func unpacked(s string) (code string, ok bool) {
	if len(s) != 32 || strings.Trim(strings.ToUpper(s), "0123456789ABCDEF") != "" {
		return "", false
	}
	var b strings.Builder
	b.WriteByte('{')
	at := 0
	for i, size := range []int{8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2} {
		if i == 1 || i == 2 || i == 3 || i == 5 {
			b.WriteByte('-')
		}
		for j := size - 1; j >= 0; j-- {
			b.WriteByte(s[at+j])
		}
		at += size
	}
	b.WriteByte('}')
	return strings.ToUpper(b.String()), true
}

func compareText(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
