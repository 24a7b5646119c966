// Package lint holds the rules of the house as tests: who may import whom, how long a file may be, what must have a
// comment. It stands outside the data's way and has no code of its own.
package lint
