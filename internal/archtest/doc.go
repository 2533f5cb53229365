// Package archtest has no code: its tests hold the rules of the tree.
//
// They check who may import whom (one table with a reason per entry, in
// table_test.go), the size of files, that tests do not sleep, that the decisions
// stay pure, that each package says what it promises, and that the documents
// name only what exists.
//
// A rule that has exceptions lists them by name with a reason. A package that is
// not in the table fails, so that a new one is placed on purpose.
//
// Concurrency: none, nothing is exported.
package archtest
