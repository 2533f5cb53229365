package main

// descriptions are those of keys whose name says enough to who reads the Go code, but not to who writes a file.
func descriptions() map[string]string {
	return map[string]string{
		"File.supervisor": "What is said of brood itself.",
		"File.listen":     "Sockets, by the names that pools and workers know them by.",
		"File.pool":       "Pools of identical workers, by name.",

		"SupervisorTable.stop_timeout": "How long whoever runs brood waits for its end: TimeoutStopSec= of systemd.service(5), terminationGracePeriodSeconds of Kubernetes.",

		"ListenTable.address": "Where to listen: an IP address and port, a unix socket, or a socket that systemd passes.",
		"ListenTable.mode":    "sharded: a socket for each worker; shared: one for all; per-slot: a port for each worker, which opens it itself.",
		"ListenTable.steer":   "Which worker a connection gets to on a sharded listener: random, client-ip, cpu.",
		"ListenTable.perm":    "The permissions of a unix socket's file, octal.",
		"ListenTable.owner":   "The owner of a unix socket's file: USER, USER:GROUP or :GROUP.",

		"PoolTable.command":          "The program and its arguments, templates such as {{.WorkerID}}. No shell reads them.",
		"PoolTable.workers":          "How many: a number, \"cpus\", or an expression such as \"2*cpus+1\". The CPUs are those that brood may use.",
		"PoolTable.listen":           "Names of listeners. \"*\" is what systemd passes and nobody names.",
		"PoolTable.env_file":         "Files of variables, as EnvironmentFile= of systemd.exec(5). One with - in front may be missing.",
		"PoolTable.umask":            "The file mode creation mask, octal.",
		"PoolTable.env":              "Variables of the workers, templates such as {{.Port.http}}.",
		"PoolTable.dir":              "The directory that workers start in, a template. A relative one begins at that of this file.",
		"PoolTable.user":             "The user that workers run as, by name or number, a template.",
		"PoolTable.group":            "The group that workers run as, by name or number, a template; the user's own is the default.",
		"PoolTable.groups":           "Supplementary groups, by name or number, beside those of the user.",
		"PoolTable.worker_ids":       "FIRST-LAST: the numbers that workers get. No two live workers have the same.",
		"PoolTable.worker_id_env":    "Further names for BROOD_WORKER_ID.",
		"PoolTable.fds_env":          "Further names for BROOD_FDS: a JSON object, listener name to /dev/fd/N.",
		"PoolTable.ready":            "What proves that a worker serves: auto, notify, tcp, http:PATH, exec:COMMAND or delay:DURATION.",
		"PoolTable.reload":           "What a reload does to workers whose configuration did not change: signal them, roll them, or whichever is safe.",
		"PoolTable.reload_signal":    "The signal that makes a worker reload.",
		"PoolTable.dump_signal":      "The signal that makes a worker write a heap dump; naming it vouches for a handler.",
		"PoolTable.orphans":          "What becomes of the workers of a supervisor that is killed: kill, term, keep.",
		"PoolTable.requires":         "What must be there before the pool starts: tcp://HOST:PORT, unix:///PATH, env:NAME, file:PATH, exec:COMMAND.",
		"PoolTable.requires_timeout": "How long to wait for what is required.",
		"PoolTable.stop":             "How a worker is stopped.",
		"PoolTable.restart":          "What follows when a worker ends by itself.",
		"PoolTable.rollout":          "How workers are replaced by those of a new version.",
		"PoolTable.limits":           "Limits of setrlimit(2) for each worker: a number, SOFT:HARD, or infinity.",
		"PoolTable.process":          "What each worker has of its own, and brood does not.",
		"PoolTable.log":              "What happens to the output of workers.",

		"StopTable.signal": "The signal that asks a worker to stop.",

		"RestartTable.policy":      "always, on-failure, never: after which ends a worker is started again.",
		"RestartTable.clean_exits": "Ends that count as success, beside status 0: 143, \"TERM\".",
		"RestartTable.backoff":     "The pause before the second restart in a row; it doubles from there.",
		"RestartTable.max_backoff": "The longest pause between restarts.",

		"RolloutTable.max_surge":       "How many workers there may be beyond their number: 1, \"25%\".",
		"RolloutTable.max_unavailable": "How many of them need not be ready meanwhile: 0, \"25%\". At least 1 for stop-first.",
		"RolloutTable.ready_timeout":   "How long a worker may take to get ready.",
		"RolloutTable.min_ready":       "How long a successor must stay ready before the next slot is replaced.",
		"RolloutTable.canary":          "How long the first successor must stay ready before the second one starts.",
		"RolloutTable.settle":          "The pause between steering away from a worker and its stop signal, so that what it accepted has been read.",
		"RolloutTable.order":           "start-first, stop-first: which of incumbent and successor. Only stop-first can be where a listener is per-slot.",

		"LimitsTable.nofile":  "Open files.",
		"LimitsTable.nproc":   "Processes of the user.",
		"LimitsTable.core":    "Bytes of a core dump.",
		"LimitsTable.as":      "Bytes of address space.",
		"LimitsTable.stack":   "Bytes of the stack.",
		"LimitsTable.memlock": "Bytes locked into memory.",
		"LimitsTable.fsize":   "Bytes of a file that is written.",

		"ProcessTable.nice":          "The nice value: -20 is the most favoured, 19 the least.",
		"ProcessTable.ioprio":        "The I/O priority: idle, best-effort:LEVEL or realtime:LEVEL, where level 0 comes first and 7 last.",
		"ProcessTable.oom_score_adj": "How likely the kernel kills it for want of memory: -1000 is never, 1000 first.",
		"ProcessTable.cpus":          "Where the workers run. spread: the slots on one CPU each in turn. nodes: on one NUMA node each in turn. node:N or a list such as 0-3,8: all on these.",
		"ProcessTable.no_new_privs":  "No program that a worker executes can give it rights.",
		"ProcessTable.capabilities":  "The only ones of capabilities(7) that workers keep; [] keeps none.",

		"LogTable.mode": "auto, prefix each line with its worker, keep the tail alone, or inherit brood's own output.",
	}
}
