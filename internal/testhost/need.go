package testhost

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Requirement is something that a test cannot do without. It says what is
// missing, or nil.
type Requirement func() error

// Need skips the test when a requirement is missing, and fails it when CI=true:
// there, a test that cannot run is a test that does not pass.
func Need(t testing.TB, what ...Requirement) {
	t.Helper()
	var missing []error
	for _, requirement := range what {
		if err := requirement(); err != nil {
			missing = append(missing, err)
		}
	}
	switch err := errors.Join(missing...); {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("this machine lacks what the test needs: %v", err)
	default:
		t.Skipf("this machine lacks what the test needs: %v", err)
	}
}

// Root is needed to make namespaces and mounts.
func Root() error {
	if uid := os.Geteuid(); uid != 0 {
		return fmt.Errorf("root (the user is %d)", uid)
	}
	return nil
}

// Program is a program in the PATH or a system directory.
func Program(name string) Requirement {
	return func() error {
		_, err := Find(name)
		return err
	}
}

// Find gives the path of a program. A user's PATH often lacks the sbin folders.
func Find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/systemd"} {
		if path, err := exec.LookPath(dir + "/" + name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("program %s", name)
}

// Succeeds needs a command to end with 0, for example the import of a module.
func Succeeds(argv ...string) Requirement {
	return func() error {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w: %s", argv, err, out)
		}
		return nil
	}
}
