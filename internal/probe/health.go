package probe

import (
	"encoding/binary"
	"errors"
	"strconv"
)

// servingStatus is grpc.health.v1.HealthCheckResponse.ServingStatus.
type servingStatus uint64

const statusServing servingStatus = 1

func (s servingStatus) String() string {
	names := []string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"}
	if s < servingStatus(len(names)) {
		return names[s]
	}
	return "in status " + strconv.FormatUint(uint64(s), 10)
}

// Wire types of https://protobuf.dev/programming-guides/encoding.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// framePrefix is a flag for compression and the length, in front of each message of gRPC.
const framePrefix = 5

var errHealth = errors.New("answer is no message of the health service of gRPC")

// healthMessage is a HealthCheckRequest with its prefix: the service is field 1.
func healthMessage(service string) []byte {
	b := make([]byte, framePrefix, framePrefix+len(service)+1+binary.MaxVarintLen64)
	if service != "" {
		b = append(b, 1<<3|wireBytes)
		b = binary.AppendUvarint(b, uint64(len(service)))
		b = append(b, service...)
	}
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-framePrefix))
	return b
}

// parseHealth reads a HealthCheckResponse with its prefix: the status is field 1, and 0 if it is absent. Other fields
// are skipped, because a later version may have some.
func parseHealth(b []byte) (servingStatus, error) {
	if len(b) < framePrefix || b[0] != 0 || uint64(binary.BigEndian.Uint32(b[1:])) != uint64(len(b)-framePrefix) {
		return 0, errHealth
	}
	var status servingStatus
	for b = b[framePrefix:]; len(b) > 0; {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 {
			return 0, errHealth
		}
		b = b[n:]
		value, size := field(b, tag&7)
		if size < 0 {
			return 0, errHealth
		}
		if tag == 1<<3|wireVarint {
			status = servingStatus(value)
		}
		b = b[size:]
	}
	return status, nil
}

// field measures the field that b begins with; value is that of a varint. The size is negative if there is none.
func field(b []byte, wire uint64) (value uint64, size int) {
	switch wire {
	case wireVarint:
		value, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, -1
		}
		return value, n
	case wireBytes:
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return 0, -1
		}
		return 0, n + int(length)
	case wire64, wire32:
		size = 8
		if wire == wire32 {
			size = 4
		}
		if len(b) >= size {
			return 0, size
		}
	}
	return 0, -1
}
