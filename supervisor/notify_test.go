package supervisor

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/worker/handshake"
)

// Whatever a worker says on its socket, in whatever order: the supervisor goes on, has something sensible to show, and in the end a
// worker serves. Datagrams are separated by NUL, which none may hold.
func FuzzNotifications(f *testing.F) {
	for _, s := range []string{
		"", "READY=1", "RELOADING=1\nMONOTONIC_USEC=1\x00READY=1", "STOPPING=1\x00READY=1", "WATCHDOG=trigger\x00WATCHDOG=1",
		"STATUS=\xff\x1b[2J\x00STATUS=", "BROOD_REQUESTS=18446744073709551615\x00BROOD_REQUESTS=0", "EXTEND_TIMEOUT_USEC=9223372036854775\x00garbage",
		"BROOD_RELOAD=1\x00MAINPID=1\x00ERRNO=2\x00FDSTORE=1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, datagrams []byte) {
		all := bytes.Split(datagrams, []byte{0})
		if len(all) > 64 {
			return
		}
		perform(t, &world{}, counted, func(s *stage) {
			for _, datagram := range all {
				msg, err := handshake.Parse(datagram)
				for _, p := range s.world.living() {
					p.notify(msg, err)
				}
				synctest.Wait()
			}
			s.after(time.Hour)
			snap := s.sup.Snapshot()
			if text, err := json.Marshal(snap); err != nil || !json.Valid(text) {
				t.Fatalf("%v: %s", err, text)
			}
			if p := snap.Pools[0]; p.Ready != 1 {
				t.Errorf("%q: %s", all, s.summary())
			}
		})
	})
}

// counted is one worker that is replaced when it has served so much.
func counted(c *Config) {
	oneWorker(c)
	p := &c.Desired.Pools[0]
	p.Recycle.MaxRequests = 1000
}
