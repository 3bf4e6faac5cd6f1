// Package proxy tries the real agent, as a process of its own, against a real server behind
// proxies: those that connect, those that ask for a password and those that open TLS.
package proxy
