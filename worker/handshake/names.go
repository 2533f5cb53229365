package handshake

import "strings"

// What a worker finds in its environment. The names in the second and third
// group are those of sd_listen_fds(3) and sd_notify(3), so that programs written
// for systemd work unchanged.
const (
	EnvWorkerID    = "BROOD_WORKER_ID"    // unique among live workers
	EnvSlot        = "BROOD_SLOT"         // place in the pool, 0..workers-1
	EnvWorkers     = "BROOD_WORKERS"      // how many slots the pool has
	EnvPool        = "BROOD_POOL"         // name of the pool
	EnvGeneration  = "BROOD_GENERATION"   // version of the pool's configuration
	EnvLeader      = "BROOD_LEADER"       // "1" for the one worker of its pool that leads; others do not have it
	EnvFence       = "BROOD_FENCE"        // where worker ids are shared with other supervisors: grows with every holder of the id
	EnvLeaderFence = "BROOD_LEADER_FENCE" // the same for who leads
	EnvFDs         = "BROOD_FDS"          // JSON object: listener name -> "/dev/fd/N"
	EnvPort        = "PORT"               // port of the slot's first TCP listener

	EnvListenFDs   = "LISTEN_FDS"     // count of descriptors, from FirstFD on
	EnvListenPID   = "LISTEN_PID"     // whom they are meant for
	EnvListenNames = "LISTEN_FDNAMES" // colon-separated, in descriptor order

	EnvNotifySocket = "NOTIFY_SOCKET" // where Format'ed messages go
	EnvWatchdogUsec = "WATCHDOG_USEC" // send Watchdog at least this often, in microseconds
	EnvWatchdogPID  = "WATCHDOG_PID"  // whom the watchdog is meant for
)

// FirstFD is the first passed descriptor: SD_LISTEN_FDS_START of sd_listen_fds(3).
const FirstFD = 3

// The keys of datagrams that are brood's own.
const (
	KeyHandlesReload = "BROOD_RELOAD"   // declares that SIGHUP makes the worker reload
	KeyRequests      = "BROOD_REQUESTS" // how many requests the worker has served since its start
)

// Private tells whether a variable belongs to the conversation between a
// supervisor and its own parent, and must therefore never leak into a worker:
// what brood sets itself, and what a service manager set for brood.
func Private(name string) bool {
	if strings.HasPrefix(name, "BROOD_") {
		return true
	}
	switch name {
	case EnvListenFDs, EnvListenPID, EnvListenNames, "LISTEN_PIDFDID",
		EnvNotifySocket, EnvWatchdogUsec, EnvWatchdogPID,
		"FDSTORE", "MAINPID", "MANAGERPID", "SYSTEMD_EXEC_PID":
		return true
	}
	return false
}
