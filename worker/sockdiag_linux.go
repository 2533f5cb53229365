package worker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// The messages of sock_diag(7): a header of netlink(7) before a struct
// inet_diag_req_v2, whose struct inet_diag_sockid begins with the local port, or a
// struct inet_diag_msg. Ports have the byte order of the network, all else ours.
const (
	diagHeader  = unix.SizeofNlMsghdr
	diagRequest = diagHeader + 56
	diagStates  = diagHeader + 4 // in a request, a bit for each state
	diagWanted  = diagHeader + 8 // the port, 0 for all
	diagPort    = 4              // in an answer
	diagInode   = 68
	diagAnswer  = 72
	diagBuffer  = 32 << 10 // the kernel fills no more at once

	diagEstablished = 1 // of include/net/tcp_states.h; see tcpEstablished
	diagCloseWait   = 8
)

// diagPatience is in seconds, for a kernel that does not go on with its answer.
const diagPatience = 1

var errDiag = errors.New("the answer is not as sock_diag(7) says")

// diagnose adds the connections of a family. One port the kernel looks for itself.
func (c Connected) diagnose(family byte, ports []int) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return fmt.Errorf("cannot open netlink socket: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: diagPatience}); err != nil {
		return fmt.Errorf("cannot limit wait for connections: %w", err)
	}
	if err := unix.Sendto(fd, diagQuestion(family, ports), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("cannot ask for connections: %w", err)
	}
	answer := make([]byte, diagBuffer)
	for {
		n, _, err := unix.Recvfrom(fd, answer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot list connections: %w", err)
		}
		done, err := c.addDiag(answer[:n], ports)
		if done || err != nil {
			return err
		}
	}
}

func diagQuestion(family byte, ports []int) []byte {
	q := make([]byte, diagRequest)
	binary.NativeEndian.PutUint32(q, diagRequest)
	binary.NativeEndian.PutUint16(q[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(q[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	q[diagHeader], q[diagHeader+1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(q[diagStates:], 1<<diagEstablished|1<<diagCloseWait)
	if len(ports) == 1 {
		binary.BigEndian.PutUint16(q[diagWanted:], uint16(ports[0]))
	}
	return q
}

// addDiag reads some messages. It reports whether the last one was among them.
func (c Connected) addDiag(text []byte, ports []int) (done bool, err error) {
	for len(text) > 0 {
		if len(text) < diagHeader {
			return false, errDiag
		}
		length := int(binary.NativeEndian.Uint32(text))
		if length < diagHeader || length > len(text) {
			return false, errDiag
		}
		body := text[diagHeader:length]
		switch binary.NativeEndian.Uint16(text[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(body) < 4 {
				return false, errDiag
			}
			errno := unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
			return false, fmt.Errorf("cannot list connections: %w", errno)
		case unix.SOCK_DIAG_BY_FAMILY:
			if len(body) < diagAnswer {
				return false, errDiag
			}
			inode := binary.NativeEndian.Uint32(body[diagInode:])
			if inode != 0 && slices.Contains(ports, int(binary.BigEndian.Uint16(body[diagPort:]))) {
				c[uint64(inode)] = struct{}{}
			}
		}
		text = text[min(nlAlign(length), len(text)):]
	}
	return false, nil
}

func nlAlign(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }
