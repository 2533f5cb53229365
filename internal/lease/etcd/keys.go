package etcd

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

const (
	live = "/live"
	mark = "/mark"
)

// mark's value.
type holder struct {
	Who     string          `json:"who"`
	Session lease.SessionID `json:"session"`
}

// key is that of a place without its end. All have as many digits as the largest, so that etcd sorts them as numbers.
func (s *store) key(name string, place int) string {
	return fmt.Sprintf("%s/%s/%07d", s.cfg.Prefix, name, place)
}

// span is from the first key of a range to behind its last.
func (s *store) span(name string, among lease.Range) (from, to string) {
	return s.key(name, among.First) + "/", s.key(name, among.Last) + "0" // the character after the slash
}

// place reads a key, whose name is known.
func place(key []byte) (number int, end string, ok bool) {
	k := string(key)
	slash := strings.LastIndexByte(k, '/')
	if slash < 7 {
		return 0, "", false
	}
	number, err := strconv.Atoi(k[slash-7 : slash])
	return number, k[slash:], err == nil
}

// add puts what a key says into the entries, which are in the order of the keys.
func add(entries []remote.Entry, kv *mvccpb.KeyValue) []remote.Entry {
	number, end, ok := place(kv.Key)
	if !ok {
		return entries // somebody else's
	}
	if len(entries) == 0 || entries[len(entries)-1].Place != number {
		entries = append(entries, remote.Entry{Place: number})
	}
	read(&entries[len(entries)-1], end, kv)
	return entries
}

func read(e *remote.Entry, end string, kv *mvccpb.KeyValue) {
	switch end {
	case live:
		e.Alive, e.Value = true, string(kv.Value)
	case mark:
		var h holder
		_ = json.Unmarshal(kv.Value, &h) // what somebody wrote by hand is a mark of nobody
		e.Fence, e.Who, e.Session = uint64(kv.ModRevision), h.Who, h.Session
	}
}
