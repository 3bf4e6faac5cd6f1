// Package content holds the way of a file together: from a person's hands through a real
// server and a real link into the hands of a provider, with everything that breaks off on it.
package content
