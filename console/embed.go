// Package console carries the web console inside the server's binary.
//
// The console is built by npm into dist/app. A Go build never needs Node: as long as the
// console has not been built, a placeholder page that says so stands in its place.
package console

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files gives the console's files with index.html at the root. Every path of the console
// that is not a file is answered with index.html: the page finds out itself what to show.
func Files() fs.FS {
	if Built() {
		return sub("dist/app")
	}
	return sub("dist/placeholder")
}

// Built reports whether the console was built before this program was.
func Built() bool {
	_, err := fs.Stat(dist, "dist/app/index.html")
	return err == nil
}

// sub panics only where a folder committed beside this file is missing from the build.
func sub(dir string) fs.FS {
	files, err := fs.Sub(dist, dir)
	if err != nil {
		panic(err)
	}
	return files
}
