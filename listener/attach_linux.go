package listener

import (
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// attach gives the group of fd a program. It replaces the one before at once: no connection falls in between. See
// SO_ATTACH_REUSEPORT_CBPF in socket(7). No privilege is needed.
func attach(fd int, program []bpf.RawInstruction) error {
	filter := filterOf(program)
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &fprog); err != nil {
		return fmt.Errorf("cannot attach steering program: %w", err)
	}
	return nil
}

// filterOf is a program as the kernel takes it.
func filterOf(program []bpf.RawInstruction) []unix.SockFilter {
	filter := make([]unix.SockFilter, len(program))
	for i, ins := range program {
		filter[i] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	return filter
}

// attachConstant sends all new connections to one index.
func attachConstant(fd, index int) error {
	program, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: uint32(index)}})
	if err != nil {
		return fmt.Errorf("cannot assemble program: %w", err)
	}
	return attach(fd, program)
}

// detach lets the kernel choose again. A group without a program is fine too.
func detach(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_REUSEPORT_BPF, 0)
}
