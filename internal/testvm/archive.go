package testvm

import (
	"fmt"
	"io"
	"io/fs"
	"path"
)

// archive writes the file system that a kernel begins with: the "newc" format of "initramfs buffer format" in the kernel's
// documentation. Owner is root, the time is 0. The first error is kept, and ends the work.
type archive struct {
	out    io.Writer
	inodes int
	dirs   map[string]bool // which were written
	err    error
}

const (
	modeDir  = 0o040000
	modeFile = 0o100000
	trailer  = "TRAILER!!!"
)

func newArchive(out io.Writer) *archive {
	return &archive{out: out, dirs: map[string]bool{".": true}}
}

// file adds a file below the directories that it needs. The name has no leading slash.
func (a *archive) file(name string, perm fs.FileMode, data []byte) {
	a.dir(path.Dir(name))
	a.entry(name, modeFile|uint32(perm.Perm()), data)
}

// dir adds a directory and those above it, unless they are there.
func (a *archive) dir(name string) {
	if a.dirs[name] {
		return
	}
	a.dirs[name] = true
	a.dir(path.Dir(name))
	a.entry(name, modeDir|0o755, nil)
}

// close ends the archive. Its writer stays open.
func (a *archive) close() error {
	a.entry(trailer, 0, nil)
	return a.err
}

func (a *archive) entry(name string, mode uint32, data []byte) {
	a.inodes++
	// inode, mode, owner, group, links, time, size, device, device of the node (two each), length of the name, checksum
	header := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.inodes, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	a.write([]byte(header + name + "\x00"))
	a.pad(len(header) + len(name) + 1)
	a.write(data)
	a.pad(len(data))
}

// pad fills up to the next multiple of four.
func (a *archive) pad(written int) { a.write(make([]byte, -written&3)) }

func (a *archive) write(data []byte) {
	if a.err == nil {
		_, a.err = a.out.Write(data)
	}
}
