// Package redact leaves secrets out of commands and addresses that are shown.
//
// # Promise
//
// A secret is known by what it is called: by the name of a flag, a variable, a key or a header in front of it, or by its place in a
// URL. Rather too much is left out than too little, but a secret that nothing announces is shown: who has one keeps it in a file.
//
// # Concurrency
//
// All functions are pure.
package redact
