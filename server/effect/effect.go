// Package effect is where a test can end the server.
//
// What a server does shows in a few ways only: it commits a transaction, answers a request,
// tells another server something, writes a file. All else is memory, which is gone with the
// process. So a process that ends at any moment at all ends before one of these effects or
// after it, and whoever stands around each of them sees every moment there is.
package effect

// Around is called in the place of an effect, which do has: it calls do, or does not, and
// what it returns is what the caller believes of it. nil calls do. Only tests bring one.
type Around func(effect string, do func() error) error

// Do has an effect.
func (a Around) Do(effect string, do func() error) error {
	if a == nil {
		return do()
	}
	return a(effect, do)
}
