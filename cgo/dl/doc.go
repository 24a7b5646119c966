// Package dl opens libraries at run time. It is the only place of the module that does: what a machine lacks is then
// an error with the loader's own words, not a program that does not start.
//
// Packages beside it, one for each vendor library, hold the symbols and types; built without cgo every Open fails.
package dl

import "errors"

// ErrNoCgo is the error of Open in a program that was built without cgo.
var ErrNoCgo = errors.New("built without cgo: libraries cannot be opened")
