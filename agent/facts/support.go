package facts

// SupportSource names where the ends of support come from.
const SupportSource = "Debian's distro-info-data, as of November 2026: the end of Debian LTS, and of Ubuntu's standard support"

// SupportEnds gives the last day on which a release gets security updates from its
// publisher without a contract, as YYYY-MM-DD; known is false for a release that is not in
// the table.
func SupportEnds(distro, release string) (day string, known bool) {
	switch distro {
	case "debian":
		day, known = debianEnds()[release]
	case "ubuntu":
		day, known = ubuntuEnds()[release]
	}
	return day, known
}

func debianEnds() map[string]string {
	return map[string]string{
		"7": "2018-05-31", "8": "2020-06-30", "9": "2022-06-30", "10": "2024-06-30",
		"11": "2026-08-31", "12": "2028-06-30", "13": "2030-06-30",
	}
}

func ubuntuEnds() map[string]string {
	return map[string]string{
		"14.04": "2019-04-25", "16.04": "2021-04-30", "18.04": "2023-05-31", "20.04": "2025-05-29",
		"22.04": "2027-06-01", "24.04": "2029-05-31", "26.04": "2031-05-29",
		"23.10": "2024-07-11", "24.10": "2025-07-10", "25.04": "2026-01-15", "25.10": "2026-07-09",
	}
}
