// Package restore holds a test of what a restore is for: a server is killed, restored on
// another address from a backup that is older than what its agents did, and the agents come
// back by themselves.
package restore
