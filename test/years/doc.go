// Package years plays the life of small fleets, thousands of times over, with everything
// that goes wrong in it: a seed is one fleet of one to three machines for some weeks or
// months, and whatever a seed shows, it shows again when it is played alone.
//
// What plays is real: agents made by agent.New, over real TLS and HTTP, against the server's
// store on SQLite, its engine, its documents and its agents' side. All of one seed lives in
// one testing/synctest bubble, so a year passes as fast as it can be computed. Only the edges
// are replaced: the network is pipes in memory, the agents' disks are maps that can be cut,
// the package manager and the machine are a double that knows the truth, and time and chance
// are the seed's. The side for people has no part in it: what people do goes to the store and
// the engine as their routes do.
//
// Three things differ from a real installation, so that a year costs seconds. A day holds a
// check-in or two and two readings in place of thousands, for which the network rewrites the
// time of the next check-in. There is no wake-up channel, as at a site whose firewall lets no call
// stand. And the server's own loops are one actor that works when something is due.
//
// Within a bubble goroutines still run as they like. So whoever acts takes a turn first, one
// at a time, and who is next among those who want to is the seed's to say: that makes a seed
// repeatable, and tries orders of events that no scheduler would.
//
// What is checked is in oracle_test.go; what goes wrong is in acts_test.go.
package years
