// Package local keeps places on one machine, by locks of the kernel: byte i of a file per name.
//
// A claim is an open file description of its own with a read lock on the byte. Whoever inherits its descriptor holds
// the place too, so a worker keeps its id when its supervisor is killed, and two supervisors never give one id twice.
// There is no deadline: nobody takes a place away from a living process. The descriptor is open for reading, so that a
// worker of another user can neither write the file nor take a place away from others.
//
//	claim      a write lock on the byte succeeds only if nobody has any lock on it; then the fence is counted up, the
//	           lock is weakened to a read lock, and the claim's own description takes one beside it
//	release    unlocks, also what others inherited: the caller says that nobody uses the place any more
//	Adopt      the description still has its lock, and the fence in the file is still the claim's
//
// The fence and the holder's words are a record in the same file, written only under the write lock or by the holder. A
// new record begins with the time in milliseconds, so that the fence grows also where the file was lost, as that in a
// /run is at each boot.
//
// Wait is told by inotify: of a release by a byte that is written after the unlock, and of a death by the close. The
// kernel tells of a close a moment before it drops the lock, so after such news Wait looks a few times more, within a
// second; without news it never looks. (A blocking F_OFD_SETLKW would be exact, but its thread cannot be called back
// when nobody waits any more, and it would be one thread per place.)
//
// A memo is a file too, which is replaced by another one. Its writer holds a place meanwhile, so nobody's death is in the
// way of the next; who waits is told by inotify of the directory.
//
// # Promise
//
//   - Places are kept by the inode. A file that was removed or replaced is noticed at the next claim: an engine that
//     holds places in the old one refuses, others begin a new file. So the directory must be nobody else's.
//   - Directories on network file systems are refused, because the locks there are not this kernel's.
//
// # Concurrency
//
// As in package lease. The engine has no goroutines.
package local
