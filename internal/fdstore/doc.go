// Package fdstore keeps descriptors in the store of the service manager, from where the next process of the service gets
// them: see FDSTORE= in sd_notify(3) and FileDescriptorStoreMax= in systemd.service(5).
//
// # Promise
//
// A Store sends, and waits until the manager has seen what was sent; it does not know what is stored, and the manager does
// not tell. A descriptor that is stored twice is there once. What does not fit is dropped by the manager without a word.
//
// A Record is a piece of text that outlives its writer however that ends: it is in two anonymous files that are written in
// turns, and the one that was being written last counts only if it is whole.
//
// # Concurrency
//
// Store and Record are for one goroutine at a time.
package fdstore
