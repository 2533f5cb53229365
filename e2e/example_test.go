//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// exampleDir is an example of ours, as it lies in the tree.
func exampleDir(name string) string { return absolute(filepath.Join("..", "examples", name)) }

// example copies the configuration of an example, or a variant of it, into a folder,
// with what a test machine has otherwise: old text, new text, old text, new text.
func example(t *testing.T, name, dir string, pairs ...string) (path string) {
	t.Helper()
	text := read(t, filepath.Join(exampleDir(filepath.Dir(name)), filepath.Base(name)))
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s does not say %s", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	path = filepath.Join(dir, filepath.Base(name))
	write(t, path, text)
	return path
}

// current demands that brood has nothing to say against a configuration of an example,
// and that the files made from it are those which lie beside it. They are written for
// its place on a user's machine.
func current(t *testing.T, name string, made map[string][]string) {
	t.Helper()
	path := filepath.Join(exampleDir(filepath.Dir(name)), filepath.Base(name))
	if out, err := exec.CommandContext(t.Context(), broodBin(), "check", "-c", path).CombinedOutput(); err != nil {
		t.Errorf("brood check -c %s: %v\n%s", name, err, out)
	}
	for file, words := range made {
		argv := append(words, "-c", path)
		out, err := exec.CommandContext(t.Context(), broodBin(), argv...).Output()
		if err != nil {
			t.Errorf("brood %q: %v", argv, err)
		}
		want := strings.ReplaceAll(string(out), filepath.Dir(path), "/etc/"+filepath.Base(filepath.Dir(path)))
		target := filepath.Join(filepath.Dir(path), file)
		if got, _ := os.ReadFile(target); string(got) != want {
			t.Errorf("%s is not what brood %q writes:\n%s", target, argv, want)
		}
	}
}

// readme boots a machine and runs there, as root, the commands of an example's README
// in a folder with its files. prepare puts in place what a user has: the program.
func readme(t *testing.T, name string, prepare func(m *machine)) (m *machine, said string) {
	t.Helper()
	m = boot(t, name+".service")
	m.Install("/usr/local/bin/brood", 0o755, []byte(read(t, broodBin())))
	files, err := filepath.Glob(filepath.Join(exampleDir(name), "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		m.Install(filepath.Join("/root", filepath.Base(file)), 0o644, []byte(read(t, file)))
	}
	prepare(m)
	_, commands, _ := strings.Cut(read(t, filepath.Join(exampleDir(name), "README.md")), "```sh\n")
	commands, _, found := strings.Cut(commands, "```")
	stdout, stderr, code := m.Run(t.Context(), "sh", "-exc", "cd /root\n"+commands)
	if !found || code != 0 {
		t.Fatalf("the commands of README.md ended with %d:\n%s%s\n%s", code, stdout, stderr, m.journal())
	}
	return m, stdout
}

// standIn builds a program of ours by the name of the real one, and gives its directory. As the
// other programs of these tests it may be run by anybody.
func standIn(t *testing.T, name, source string) (dir string) {
	t.Helper()
	dir = site(t)
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", filepath.Join(dir, name), source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build %s: %v\n%s", source, err, out)
	}
	return dir
}

// foundIn is the variable by which programs are found in these directories first.
func foundIn(dirs ...string) string {
	return "PATH=" + strings.Join(append(dirs, os.Getenv("PATH")), ":")
}

// debians has programs found that are for Debian's Python, which leaves nothing beside its sources.
func debians() []string { return []string{foundIn("/usr/bin"), "PYTHONDONTWRITEBYTECODE=1"} }
