package testvm

import (
	"os"
	"slices"
	"strings"
	"time"
)

// accelerator is a way of qemu to execute a machine's instructions.
type accelerator struct {
	name    string
	timeout time.Duration // for the boot
}

const (
	kvmTime     = 10 * time.Second // it boots in one, or hangs for ever where it is nested in something unusual
	emulateTime = 90 * time.Second // on a busy machine; it takes three seconds
)

// accelerators lists what to try, in order.
func accelerators() []accelerator {
	emulation := accelerator{"tcg", emulateTime}
	if !hasKVM() {
		return []accelerator{emulation}
	}
	return []accelerator{{"kvm", kvmTime}, emulation}
}

// hasKVM reports whether the processor runs guests and we may ask it to. A device without the processor's flag is a
// kernel's substitute, which runs no kernel but those made for it.
func hasKVM() bool {
	device, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	device.Close()
	info, err := os.ReadFile("/proc/cpuinfo")
	return err == nil && virtualizes(string(info))
}

// virtualizes reports whether the text of /proc/cpuinfo has the flag of Intel's or AMD's extension.
func virtualizes(cpuinfo string) bool {
	for line := range strings.Lines(cpuinfo) {
		if name, flags, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "flags" {
			words := strings.Fields(flags)
			return slices.Contains(words, "vmx") || slices.Contains(words, "svm")
		}
	}
	return false
}
