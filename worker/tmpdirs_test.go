package worker_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
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

// has starts a process with a directory of its own, and waits for its end.
func has(t *testing.T, s *worker.Spawner, dir *worker.TmpDir) error {
	t.Helper()
	cmd := shell("true")
	cmd.PrivateTmp = dir
	ended := make(chan struct{})
	cmd.OnGone = func() { close(ended) }
	result := startAndWait(s, cmd)
	if result.Err == nil {
		<-ended
	}
	return result.Err
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
			cmd.As, cmd.PrivateTmp = as, dirs.Next("web.3")
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
	if a, b := dirs.Next("web.0"), dirs.Next("web.0"); a.Path() == b.Path() {
		t.Errorf("two have %s", a.Path())
	}
	dirs.Close(t.Context())
}

// What a supervisor that was killed left is removed; what lives, or is not ours, is not.
func TestPrivateTmpOfThePast(t *testing.T) {
	dirs, parent := newTmpDirs(t)
	s := newSpawner(t)
	gone := old(t, parent, "1")
	stays := []string{
		old(t, parent, "x2"), // not a name that we give
	}
	for i, name := range []string{"TMPDIR", "TMP", "TEMP"} { // a worker may set the others itself
		used := old(t, parent, strconv.Itoa(6+i))
		outlive(t, s, name+"="+used+"/web.0-1")
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
	living := twin.Next("web.0")
	if err := has(t, s, living); err != nil {
		t.Fatal(err)
	}
	stays = append(stays, filepath.Dir(living.Path()))

	if err := has(t, s, dirs.Next("web.0")); err != nil {
		t.Fatal(err)
	}
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
func outlive(t *testing.T, s *worker.Spawner, env string) {
	t.Helper()
	orphan := helper(t, "echo")
	orphan.Env = append(orphan.Env, env)
	_, lines := launchTalking(t, s, orphan)
	if line, err := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("it says %q, %v", line, err)
	}
}

// Nothing is made before a worker starts, and nothing is left behind the last one: a reload may have turned it off, and
// brood goes on.
func TestPrivateTmpComesAndGoes(t *testing.T) {
	s := newSpawner(t)
	dirs, parent := newTmpDirs(t)
	for range 2 {
		a, b, never := dirs.Next("web.0"), dirs.Next("web.1"), dirs.Next("web.2")
		if found := below(t, parent); len(found) > 0 {
			t.Errorf("before they are needed there are %v", found)
		}
		for _, dir := range []*worker.TmpDir{a, b} {
			if err := has(t, s, dir); err != nil {
				t.Fatal(err)
			}
		}
		await(t, parent, 5) // the base, two in it, and it is open twice
		a.Remove()
		never.Remove()
		b.Remove()
		await(t, parent, 0)
	}
	dirs.Close(t.Context())
}

// await waits until so much is below a directory: removals, and a look at what others left, tell nobody of their end.
func await(t *testing.T, dir string, want int) {
	t.Helper()
	for len(below(t, dir)) != want {
		runtime.Gosched()
	}
}

// below lists what is in a directory, at any depth, and what of it this process has open, also if it was removed.
func below(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir && !errors.Is(err, fs.ErrNotExist) {
			found = append(found, path)
		}
		return nil
	})
	fds, err2 := os.ReadDir("/proc/self/fd")
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if path, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(path, dir+"/") {
			found = append(found, "open "+path)
		}
	}
	return found
}

// Somebody clears /tmp away: the next worker has a place all the same, and what is gone is not held open.
func TestPrivateTmpClearedAway(t *testing.T) {
	s := newSpawner(t)
	dirs, parent := newTmpDirs(t)
	lost := dirs.Next("web.0")
	if err := has(t, s, lost); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(lost.Path())); err != nil {
		t.Fatal(err)
	}
	next := dirs.Next("web.0")
	if err := has(t, s, next); err != nil {
		t.Fatal(err)
	}
	await(t, parent, 4)
	lost.Remove()
	next.Remove()
	dirs.Close(t.Context())
	if found := below(t, parent); len(found) > 0 {
		t.Errorf("left: %v", found)
	}
}

// Where nothing can be made the start says so, and the next one is tried elsewhere.
func TestPrivateTmpCannotBeMade(t *testing.T) {
	s := newSpawner(t)
	dirs, parent := newTmpDirs(t)
	dir := dirs.Next("web.0")
	if err := os.WriteFile(filepath.Dir(dir.Path()), nil, 0o666); err != nil { // somebody was faster
		t.Fatal(err)
	}
	failed, ok := errors.AsType[*worker.ExecError](has(t, s, dir))
	if !ok || failed.Stage != worker.StageTmp || !errors.Is(failed, syscall.EEXIST) {
		t.Errorf("got %v", failed)
	}
	dir.Remove()
	next := dirs.Next("web.0")
	if err := has(t, s, next); err != nil {
		t.Error(err)
	}
	next.Remove()
	dirs.Close(t.Context())
	if found := below(t, parent); len(found) != 1 {
		t.Errorf("left: %v, of which one is somebody else's", found)
	}
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
	dir := dirs.Next("web.0")
	const fill = `cd "$TMPDIR" && mkdir -p a/b/c && chmod 0 a/b/c a/b a .`
	err := manage(worker.Command{
		Argv: []string{"/bin/sh", "-c", fill}, Env: append(os.Environ(), "TMPDIR="+dir.Path()),
		Stdout: 1, Stderr: 2, PrivateTmp: dir,
		OnExit: func(e worker.Exit) {
			if e.Code != 0 {
				failed = errors.New(e.String())
			}
		},
	})
	if err != nil {
		return failIf(err)
	}
	dir.Remove()
	dirs.Close(context.Background())
	if base := filepath.Dir(dir.Path()); exists(base) {
		failed = errors.Join(failed, errors.New(base+" is left"))
	}
	return failIf(failed)
}
