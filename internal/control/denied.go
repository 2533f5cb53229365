package control

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// DeniedError means that this user may not use the control socket, or not even look for it.
type DeniedError struct {
	Path string // of the socket, or of the directory that may not be read
	Err  error  // it wraps fs.ErrPermission
	Code Code   // of the supervisor's own word, "" if the kernel refused
	Text string // and that word
}

func (e *DeniedError) Error() string {
	if e.Text != "" {
		return "permission denied on " + e.Path + ": " + e.Text
	}
	return "permission denied on " + e.Path
}

func (e *DeniedError) Unwrap() error { return e.Err }

// Hint says who may. Everybody can connect to a socket whose supervisor has lists of them.
func (e *DeniedError) Hint() string {
	if info, err := os.Stat(e.Path); err == nil && e.Code != "" && info.Mode().Perm()&0o002 != 0 {
		return "use sudo; read and write in [supervisor.control] of its configuration say who else may"
	}
	for _, path := range []string{e.Path, filepath.Dir(e.Path)} {
		info, err := os.Stat(path)
		if err != nil {
			continue // the socket itself is hidden by its directory
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || st.Gid == 0 {
			break
		}
		group := strconv.Itoa(int(st.Gid))
		if g, err := user.LookupGroupId(group); err == nil {
			group = g.Name
		}
		return fmt.Sprintf("use sudo, or join the group %s and log in again", group)
	}
	return "use sudo, or join the group of the socket"
}
