package facts

import "strings"

// windowsLife is the last day on which a Windows gets security updates without a contract, by
// edition: Home and Pro, Enterprise and Education, the long-term ones.
type windowsLife struct{ pro, enterprise, long string }

// windowsClients are Microsoft's dates by build, from learn.microsoft.com/lifecycle, compared
// with what endoflife.date had in August 2026. What is not here is not known.
func windowsClients() map[string]windowsLife {
	return map[string]windowsLife{
		"7601": {"2020-01-14", "2020-01-14", ""}, "9200": {"2016-01-12", "2016-01-12", ""}, "9600": {"2023-01-10", "2023-01-10", ""},
		"10240": {"2017-05-09", "2017-05-09", "2025-10-14"}, "10586": {"2017-10-10", "2017-10-10", ""},
		"14393": {"2018-04-10", "2019-04-09", "2026-10-13"}, "15063": {"2018-10-09", "2019-10-08", ""},
		"16299": {"2019-04-09", "2020-10-13", ""}, "17134": {"2019-11-12", "2021-05-11", ""},
		"17763": {"2020-11-10", "2021-05-11", "2029-01-09"}, "18362": {"2020-12-08", "2020-12-08", ""},
		"18363": {"2021-05-11", "2022-05-10", ""}, "19041": {"2021-12-14", "2021-12-14", ""},
		"19042": {"2022-05-10", "2023-05-09", ""}, "19043": {"2022-12-13", "2022-12-13", ""},
		"19044": {"2023-06-13", "2024-06-11", "2027-01-12"}, "19045": {"2025-10-14", "2025-10-14", ""},
		"22000": {"2023-10-10", "2024-10-08", ""}, "22621": {"2024-10-08", "2025-10-14", ""},
		"22631": {"2025-11-11", "2026-11-10", ""}, "26100": {"2026-10-13", "2027-10-12", "2029-10-09"},
		"26200": {"2027-10-12", "2028-10-10", ""},
	}
}

func windowsServers() map[string]string {
	return map[string]string{"7601": "2020-01-14", "9200": "2023-10-10", "9600": "2023-10-10", "14393": "2027-01-12", "17763": "2029-01-09", "20348": "2031-10-14", "26100": "2034-11-14"}
}

// windowsSupport gives the last day of a Windows by its build and edition, "" when it is not
// known: devices with a contract of their own (IoT) have other days.
func windowsSupport(server bool, edition, build string) string {
	if server {
		if strings.HasPrefix(edition, "Server") {
			return windowsServers()[build]
		}
		return ""
	}
	life := windowsClients()[build]
	edition = strings.TrimSuffix(edition, "N")
	switch {
	case edition == "EnterpriseS":
		return life.long
	case edition == "Enterprise" || edition == "Education":
		return life.enterprise
	case strings.HasPrefix(edition, "Core"), strings.HasPrefix(edition, "Professional"), edition == "Ultimate", edition == "HomePremium", edition == "HomeBasic":
		return life.pro
	}
	return ""
}
