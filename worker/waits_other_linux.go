//go:build !amd64

package worker

// oldKindOf: other 64-bit architectures began with ppoll and pselect6.
func oldKindOf(int) waitKind { return waitNone }
