// Package fleet holds what a simulated fleet and a real server must do together.
package fleet
