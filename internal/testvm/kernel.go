package testvm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// KernelEnv names another kernel than the one that .ci/kernel fetches.
const KernelEnv = "TESTVM_KERNEL"

// Kernel needs the file of a kernel: see [KernelEnv].
func Kernel() error {
	_, err := kernel()
	return err
}

// kernel finds the file where .ci/kernel has put it, in the root of the tree.
func kernel() (string, error) {
	if path := os.Getenv(KernelEnv); path != "" {
		_, err := os.Stat(path)
		return path, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		} else if filepath.Dir(dir) == dir {
			return "", errors.New("a kernel: outside of a module only by $" + KernelEnv)
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, ".bin", "vmlinuz")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("a kernel (make deps fetches Debian's, $%s names another): %w", KernelEnv, err)
	}
	return path, nil
}
