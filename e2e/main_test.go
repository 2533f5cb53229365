//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The two binaries are found by these variables, which TestMain sets when the
// caller has not.
const (
	broodEnv = "BROOD_BIN"
	guestEnv = "GUEST_BIN"
)

func TestMain(m *testing.M) { os.Exit(withBinaries(m)) }

func withBinaries(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	// Some stories run as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		return complain(err)
	}
	for env, source := range map[string]string{
		broodEnv: "github.com/broodctl/brood/cmd/brood",
		guestEnv: "github.com/broodctl/brood/internal/testguest/guest",
	} {
		if os.Getenv(env) != "" {
			continue
		}
		target := filepath.Join(dir, env)
		build := exec.Command("go", "build", "-trimpath", "-o", target, source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return complain(fmt.Errorf("cannot build %s: %w\n%s", source, err, out))
		}
		if err := os.Setenv(env, target); err != nil {
			return complain(err)
		}
	}
	return m.Run()
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func broodBin() string { return absolute(os.Getenv(broodEnv)) }
func guestBin() string { return absolute(os.Getenv(guestEnv)) }

func absolute(path string) string {
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return full
}
