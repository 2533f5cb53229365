// Package handover is how one program leaves what it knows to the next one that goes on in its place: as a document in a
// file that has no name, which is inherited like any other descriptor; see memfd_create(2).
//
// The file begins with a line of its own, so that another program's is recognised as that, and ends with bytes that would
// be a third longer in JSON. What is in the document is the affair of package host: here is its envelope, and who can read
// what. A document says in which format it is, and the least format that its reader has to know; a reader says which formats
// it knows. So both can refuse, in words, before anything has happened.
//
// It imports nothing of ours.
package handover
