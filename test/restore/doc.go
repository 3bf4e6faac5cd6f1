// Package restore holds tests of what an installation must survive: a server is killed,
// restored on another address from a backup that is older than what its agents did, and the
// agents come back by themselves; and several servers share one database as if they were one.
package restore
