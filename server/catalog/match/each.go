package match

import "patchbay/server/catalog/advisory"

// Said is what one advisory says of one package.
type Said struct {
	Ecosystem string
	Name      string
	Advisory  *advisory.Advisory
	Affected  *advisory.Affected
	Scores    []advisory.Score
}

// Each gives what all advisories say of all packages, in no order. None of it may be changed.
func (x *Index) Each(each func(Said)) {
	for ecosystem, names := range x.rows {
		for name, rows := range names {
			for _, r := range rows {
				each(Said{ecosystem, name, r.advisory, r.affected, r.scores})
			}
		}
	}
}
