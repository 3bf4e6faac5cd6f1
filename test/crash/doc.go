// Package crash ends a real server before and after each of its effects, the ones of its next
// life too, while machines and people go on speaking to it, and holds it to its laws: nothing
// is lost that was acknowledged, nothing is ordered or done twice.
package crash
