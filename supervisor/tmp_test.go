package supervisor

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/worker"
)

// A worker's temporary files are there until the last of its processes is gone, and the next one has others.
func TestTemporaryFilesOutliveTheLeader(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	private := func(c *Config) {
		dirs := worker.NewTmpDirs("web", func(err error) { t.Error(err) })
		c.World.PrivateTmp = dirs.Next
		c.Desired.Pools[0].PrivateTmp = true
		c.Desired.Pools[0].Spec.Workers = 1
	}
	perform(t, &world{}, private, func(s *stage) {
		p := s.world.process(0)
		path := p.env("TMPDIR")
		if path == "" || p.cmd.PrivateTmp == nil || path != p.cmd.PrivateTmp.Path() {
			t.Fatalf("it is told %q", path)
		}
		// As the start would have done, and nobody before it.
		if err := errors.Join(p.cmd.PrivateTmp.Make(nil), os.Mkdir(path+"/full", 0o700)); err != nil {
			t.Fatal(err)
		}
		p.remains = true
		p.end(worker.Exit{Code: worker.CodeUnknown, Signal: syscall.SIGKILL})
		synctest.Wait()
		if _, err := os.Stat(path); err != nil {
			t.Errorf("others of it live: %v", err)
		}
		p.cmd.OnGone()
		s.after(2 * time.Second)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("nobody lives: %v", err)
		}
		if next := s.world.process(1).env("TMPDIR"); next == "" || next == path {
			t.Errorf("the next one is told %q", next)
		}
	})
}

// Who asks for nothing keeps what brood has.
func TestNoTemporaryFilesUnasked(t *testing.T) {
	perform(t, &world{}, func(c *Config) {
		c.World.PrivateTmp = worker.NewTmpDirs("web", func(err error) { t.Error(err) }).Next
	}, func(s *stage) {
		if p := s.world.process(0); p.cmd.PrivateTmp != nil {
			t.Errorf("it is told %s", p.cmd.PrivateTmp.Path())
		}
	})
}
