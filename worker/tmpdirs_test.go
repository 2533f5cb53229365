package worker_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/worker"
)

// newTmpDirs are those of a supervisor called web, in a temporary directory of the
// test's own, which is returned.
func newTmpDirs(t *testing.T) (*worker.TmpDirs, string) {
	t.Helper()
	parent := openDir(t)
	t.Setenv("TMPDIR", parent)
	return tmpDirs(t), parent
}

func tmpDirs(t *testing.T) *worker.TmpDirs {
	return worker.NewTmpDirs("web", func(err error) { t.Error(err) })
}

func next(t *testing.T, dirs *worker.TmpDirs, label string) *worker.TmpDir {
	t.Helper()
	dir, err := dirs.Next(label)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// old is a base as a supervisor leaves it that was killed.
func old(t *testing.T, parent, number string) string {
	t.Helper()
	base := filepath.Join(parent, "brood-"+strconv.Itoa(os.Geteuid())+"-web-tmp-"+number)
	if err := os.MkdirAll(filepath.Join(base, "web.0-1", "a", "b"), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(base, "web.0-1", "a", "file"), nil, 0o400); err != nil {
		t.Fatal(err)
	}
	return base
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// A worker finds its own directory, fills it with what is hard to remove, and leaves
// nothing; what it points to stays.
func TestPrivateTmp(t *testing.T) {
	const fill = `stat -c "%a %u" "$TMPDIR"; cd "$TMPDIR"; mkdir -p a/b; touch a/b/c; ln -s "$OUTSIDE" link; ln -s "$OUTSIDE" a/link; chmod 0 a/b; chmod 500 a`
	for _, as := range []*worker.Identity{nil, stranger()} {
		name, want := "as ourselves", "700 "+strconv.Itoa(os.Geteuid())+"\n"
		if as != nil {
			name, want = "as another", "700 "+as.String()+"\n"
		}
		t.Run(name, func(t *testing.T) {
			if as != nil {
				testhost.Need(t, testhost.Root)
			}
			dirs, parent := newTmpDirs(t)
			outside := filepath.Join(openDir(t), "outside")
			if err := os.WriteFile(outside, nil, 0o666); err != nil {
				t.Fatal(err)
			}
			cmd := shell(fill)
			cmd.As, cmd.PrivateTmp = as, next(t, dirs, "web.3")
			path := cmd.PrivateTmp.Path()
			if !strings.HasPrefix(path, parent+"/") || !strings.HasPrefix(filepath.Base(path), "web.3-") {
				t.Errorf("it is %s", path)
			}
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + path, "OUTSIDE=" + outside}
			text, exit := output(t, newSpawner(t), cmd)
			if text != want || exit.Code != 0 {
				t.Errorf("it is %q, want %q; %v", text, want, exit)
			}
			if base, err := os.Stat(filepath.Dir(path)); err != nil || base.Mode().Perm() != 0o711 {
				t.Errorf("the base: %v, %v", base, err)
			}
			cmd.PrivateTmp.Remove()
			dirs.Close(t.Context())
			if left, err := os.ReadDir(parent); len(left) > 0 || err != nil {
				t.Errorf("left: %v, %v", left, err)
			}
			if !exists(outside) {
				t.Error("a link was followed")
			}
		})
	}
}

// Each has a name of its own, and the user's variables count more than ours.
func TestPrivateTmpInTheEnvironment(t *testing.T) {
	r, err := worker.NewRecipe(worker.RecipeConfig{
		Argv: []string{"x"}, Env: []worker.Var{{Name: "TEMP", Value: "/mine"}}, InheritEnv: []string{"TMPDIR=/tmp", "A=1"},
	}, worker.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Build(worker.Facts{TmpDir: "/tmp/own"})
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Join(b.Env, " ")
	if !strings.HasSuffix(env, " TMPDIR=/tmp/own TMP=/tmp/own TEMP=/mine") || strings.Count(env, "TMPDIR=") != 1 {
		t.Errorf("got %s", env)
	}
	dirs, _ := newTmpDirs(t)
	if a, b := next(t, dirs, "web.0"), next(t, dirs, "web.0"); a.Path() == b.Path() {
		t.Errorf("two have %s", a.Path())
	}
	dirs.Close(t.Context())
}

// What a supervisor that was killed left is removed; what lives, or is not ours, is not.
func TestPrivateTmpOfThePast(t *testing.T) {
	dirs, parent := newTmpDirs(t)
	gone := old(t, parent, "1")
	stays := []string{
		old(t, parent, "x2"), // not a name that we give
	}
	for i, name := range []string{"TMPDIR", "TMP", "TEMP"} { // a worker may set the others itself
		used := old(t, parent, strconv.Itoa(6+i))
		outlive(t, name+"="+used+"/web.0-1")
		stays = append(stays, used)
	}
	outside := old(t, openDir(t), "4")
	link := filepath.Join(parent, filepath.Base(outside))
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	stays = append(stays, outside, link)
	if os.Geteuid() == 0 {
		foreign := old(t, parent, "5")
		if err := os.Chown(foreign, 4711, 4711); err != nil {
			t.Fatal(err)
		}
		stays = append(stays, foreign)
	}

	twin := tmpDirs(t) // of the same name, with another control socket
	living := next(t, twin, "web.0")
	stays = append(stays, filepath.Dir(living.Path()))

	next(t, dirs, "web.0")
	dirs.Close(t.Context())
	for _, path := range stays {
		if !exists(path) {
			t.Errorf("%s is gone", path)
		}
	}
	for _, path := range []string{outside, stays[1]} {
		if !exists(filepath.Join(path, "web.0-1", "a", "file")) {
			t.Errorf("what is in %s is gone", path)
		}
	}
	twin.Close(t.Context())
	if exists(gone) { // the two of them are at it at the same time, and either may have been faster
		t.Errorf("%s is left", gone)
	}
}

// outlive starts a process with a variable, as a worker of the past. It waits until
// the process runs: /proc shows no environment for a moment while it is executed.
func outlive(t *testing.T, env string) {
	t.Helper()
	orphan := helper(t, "echo")
	orphan.Env = append(orphan.Env, env)
	_, lines := launchTalking(t, newSpawner(t), orphan)
	if line, err := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("it says %q, %v", line, err)
	}
}

// Somebody clears /tmp away: the next worker can start all the same, and one whose
// place is gone says so.
func TestPrivateTmpClearedAway(t *testing.T) {
	dirs, _ := newTmpDirs(t)
	lost := next(t, dirs, "web.0")
	if err := os.RemoveAll(filepath.Dir(lost.Path())); err != nil {
		t.Fatal(err)
	}
	s := newSpawner(t)
	cmd := shell("true")
	cmd.PrivateTmp = lost
	failed, ok := errors.AsType[*worker.ExecError](startAndWait(s, cmd).Err)
	if !ok || failed.Stage != worker.StageTmp || !errors.Is(failed, syscall.ENOENT) {
		t.Errorf("got %v", failed)
	}
	lost.Remove()
	cmd.PrivateTmp = next(t, dirs, "web.0")
	cmd.Env = []string{"TMPDIR=" + cmd.PrivateTmp.Path()}
	cmd.Argv[2] = `cd "$TMPDIR"`
	if _, exit := output(t, s, cmd); exit.Code != 0 {
		t.Errorf("it ended with %v", exit)
	}
	cmd.PrivateTmp.Remove()
	dirs.Close(t.Context())
}

// A supervisor that is not root removes what its own user was locked out of.
func TestPrivateTmpClosedToUs(t *testing.T) {
	if os.Geteuid() != 0 {
		if code := closeAndRemove(nil); code != 0 {
			t.Errorf("it ended with %d", code)
		}
		return
	}
	cmd := openHelper(t, "close-and-remove")
	cmd.As, cmd.Env = stranger(), append(cmd.Env, "TMPDIR=/tmp")
	if text, exit := output(t, newSpawner(t), cmd); exit.Code != 0 {
		t.Errorf("%v: %s", exit, text)
	}
}

func closeAndRemove([]string) int {
	var failed error
	dirs := worker.NewTmpDirs("closed", func(err error) { failed = err })
	dir, err := dirs.Next("web.0")
	if err != nil {
		return failIf(err)
	}
	base := filepath.Dir(dir.Path())
	if err := os.MkdirAll(dir.Path()+"/a/b/c", 0o700); err != nil {
		return failIf(err)
	}
	for _, path := range []string{"/a/b/c", "/a/b", "/a", ""} {
		if err := os.Chmod(dir.Path()+path, 0); err != nil {
			return failIf(err)
		}
	}
	dir.Remove()
	dirs.Close(context.Background())
	if _, err := os.Stat(base); err == nil {
		failed = errors.Join(failed, errors.New(base+" is left"))
	}
	return failIf(failed)
}
