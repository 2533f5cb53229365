package config

// File is a configuration file as it is written, table by table. The flags of brood run fill the same structure. What
// is not said is the zero value, or nil where zero means something; Complete and FromFile put in the defaults.
type File struct {
	Supervisor SupervisorTable        `toml:"supervisor,omitempty"`
	Listen     map[string]ListenTable `toml:"listen,omitempty"`
	Pool       map[string]PoolTable   `toml:"pool"`
	OnEvent    map[string]HookTable   `toml:"on_event,omitempty"`
	// Coordination is what supervisors share.
	Coordination CoordinationTable `toml:"coordination,omitempty"`

	doc *document // where it was read from; nil if flags filled it
}

// SupervisorTable is [supervisor].
type SupervisorTable struct {
	Name string `toml:"name,omitempty"` // default: the file's, without .toml
	HTTP string `toml:"http,omitempty"` // where probes, metrics and the dashboard are answered: PORT of 127.0.0.1, ADDRESS, unix:PATH
	// HTTPHosts are further names by which browsers may ask for the dashboard, such as that of a proxy.
	HTTPHosts []string `toml:"http_hosts,omitempty"`
	LogLevel  string   `toml:"log_level,omitempty"`  // trace, debug, info, warn, error
	LogFormat string   `toml:"log_format,omitempty"` // auto, json, text
	// StopTimeout is how long whoever runs brood waits for its end: TimeoutStopSec= of systemd.service(5),
	// terminationGracePeriodSeconds of Kubernetes.
	StopTimeout *Duration `toml:"stop_timeout,omitempty"`
	// UpgradeOnReload: SIGHUP looks first whether another version of brood was installed, and goes on as that.
	UpgradeOnReload bool `toml:"upgrade_on_reload,omitempty"`

	Control ControlTable `toml:"control,omitempty"`
}

// ListenTable is [listen.NAME].
type ListenTable struct {
	Address string `toml:"address"`
	Mode    string `toml:"mode,omitempty"`  // auto, sharded, shared, per-slot
	Steer   string `toml:"steer,omitempty"` // random, client-ip, cpu
	// QueueAware: among workers, those come first in whose queue nobody waits.
	QueueAware *bool  `toml:"queue_aware,omitempty"`
	Backlog    int    `toml:"backlog,omitempty"` // connections that may wait in each socket
	Perm       string `toml:"perm,omitempty"`    // of a unix socket's file, octal
	Owner      string `toml:"owner,omitempty"`   // USER, USER:GROUP or :GROUP of a unix socket's file
	Public     int    `toml:"public,omitempty"`  // the port that clients use: brood nft redirects it here
}

// PoolTable is [pool.NAME].
type PoolTable struct {
	Command []string          `toml:"command"`
	Workers *Workers          `toml:"workers,omitempty"` // 4, "cpus", "2*cpus+1", {min = 2, max = 16}
	Listen  []string          `toml:"listen,omitempty"`  // names of listeners; "*" is what systemd passes and nobody names
	Env     map[string]string `toml:"env,omitempty"`
	EnvFile []string          `toml:"env_file,omitempty"` // as EnvironmentFile= of systemd.exec(5): a leading - may be missing
	// Credentials are variables whose values are secrets: the content of a file in $CREDENTIALS_DIRECTORY, or of one
	// with an absolute path; with path: in front, the file's path instead.
	Credentials map[string]string `toml:"credentials,omitempty"`
	Dir         string            `toml:"dir,omitempty"`
	User        string            `toml:"user,omitempty"`
	Group       string            `toml:"group,omitempty"`
	Groups      []string          `toml:"groups,omitempty"`
	Umask       string            `toml:"umask,omitempty"` // octal

	// Leader: the worker of the first slot is told that it leads, and never overlaps with another one that was.
	Leader      bool     `toml:"leader,omitempty"`
	WorkerIDs   string   `toml:"worker_ids,omitempty"` // FIRST-LAST
	WorkerIDEnv []string `toml:"worker_id_env,omitempty"`
	FDsEnv      []string `toml:"fds_env,omitempty"`

	Ready        string `toml:"ready,omitempty"`         // auto, notify, http:PATH, http://HOST:PORT/PATH, tcp, exec:COMMAND, delay:DURATION
	Reload       string `toml:"reload,omitempty"`        // auto, signal, roll
	ReloadSignal string `toml:"reload_signal,omitempty"` // HUP
	DumpSignal   string `toml:"dump_signal,omitempty"`   // USR2
	Orphans      string `toml:"orphans,omitempty"`       // kill, term, keep

	Requires        []string  `toml:"requires,omitempty"`
	RequiresTimeout *Duration `toml:"requires_timeout,omitempty"`
	PreStart        []string  `toml:"pre_start,omitempty"` // shell commands, one after another, once before a generation starts
	After           []string  `toml:"after,omitempty"`     // pools that must be ready first, and stop later

	Stop    StopTable    `toml:"stop,omitempty"`
	Restart RestartTable `toml:"restart,omitempty"`
	Rollout RolloutTable `toml:"rollout,omitempty"`

	Startup   ProbeTable     `toml:"startup,omitempty"`
	Readiness ProbeTable     `toml:"readiness,omitempty"`
	Liveness  ProbeTable     `toml:"liveness,omitempty"`
	Health    HealthTable    `toml:"health,omitempty"`
	Recycle   RecycleTable   `toml:"recycle,omitempty"`
	Autoscale AutoscaleTable `toml:"autoscale,omitempty"`

	Limits  LimitsTable  `toml:"limits,omitempty"`
	Process ProcessTable `toml:"process,omitempty"`
	Log     LogTable     `toml:"log,omitempty"`
}

// StopTable is [pool.NAME.stop].
type StopTable struct {
	Signal string    `toml:"signal,omitempty"` // TERM
	Grace  *Duration `toml:"grace,omitempty"`  // from the signal to the kill
	Delay  *Duration `toml:"delay,omitempty"`  // before the signal, while still serving and not ready
}

// RestartTable is [pool.NAME.restart].
type RestartTable struct {
	Policy      string     `toml:"policy,omitempty"`        // always, on-failure, never
	CleanExits  []ExitWord `toml:"clean_exits,omitempty"`   // beside 0: 143, "TERM"
	Backoff     *Duration  `toml:"backoff,omitempty"`       // before the second restart in a row; doubles from there
	MaxBackoff  *Duration  `toml:"max_backoff,omitempty"`   //
	GiveUpAfter *int       `toml:"give_up_after,omitempty"` // failures in a row of one slot; 0 never gives up
}

// RolloutTable is [pool.NAME.rollout].
type RolloutTable struct {
	MaxSurge       *Share    `toml:"max_surge,omitempty"`       // 1, "25%"
	MaxUnavailable *Share    `toml:"max_unavailable,omitempty"` // 0, "25%"
	ReadyTimeout   *Duration `toml:"ready_timeout,omitempty"`
	MinReady       *Duration `toml:"min_ready,omitempty"`
	Canary         *Duration `toml:"canary,omitempty"`
	Settle         *Duration `toml:"settle,omitempty"`
	Order          string    `toml:"order,omitempty"` // start-first, stop-first

	Fleet FleetTable `toml:"fleet,omitempty"`
}

// LimitsTable is [pool.NAME.limits]: limits of setrlimit(2), as "65535", "1024:65535" (soft:hard), "infinity", with the
// units K, M, G, T where bytes are counted; and those of a control group for each worker.
type LimitsTable struct {
	NoFile  *Limit `toml:"nofile,omitempty"`
	NProc   *Limit `toml:"nproc,omitempty"`
	Core    *Limit `toml:"core,omitempty"`
	AS      *Limit `toml:"as,omitempty"`
	Stack   *Limit `toml:"stack,omitempty"`
	MemLock *Limit `toml:"memlock,omitempty"`
	FSize   *Limit `toml:"fsize,omitempty"`

	MemoryMax  Size     `toml:"memory_max,omitempty"`
	MemoryHigh Size     `toml:"memory_high,omitempty"`
	MemoryLow  Size     `toml:"memory_low,omitempty"`
	CPUMax     *Percent `toml:"cpu_max,omitempty"` // of one CPU
	CPUWeight  Weight   `toml:"cpu_weight,omitempty"`
	PidsMax    int      `toml:"pids_max,omitempty"` // processes and threads
	IOWeight   Weight   `toml:"io_weight,omitempty"`
}

// ProcessTable is [pool.NAME.process]: what each worker has of its own, and brood does not.
type ProcessTable struct {
	Nice        *Nice     `toml:"nice,omitempty"`          // -20 to 19, as setpriority(2)
	IOPrio      string    `toml:"ioprio,omitempty"`        // idle, best-effort:LEVEL, realtime:LEVEL, as ioprio_set(2)
	OOMScoreAdj *OOMScore `toml:"oom_score_adj,omitempty"` // -1000 to 1000, as proc_pid_oom_score_adj(5)
	// CPUs is where the workers run: "spread" gives the slots one CPU each in turn, "nodes" the CPUs of one NUMA node each in
	// turn, "node:0" all of them those of that node, and "0-3,8" all of them these.
	CPUs       string `toml:"cpus,omitempty"`
	NoNewPrivs bool   `toml:"no_new_privs,omitempty"` // no program that a worker executes can give it rights
	// Capabilities are the only ones of capabilities(7) that workers keep; [] keeps none.
	Capabilities *[]string `toml:"capabilities,omitempty"`
	PrivateTmp   bool      `toml:"private_tmp,omitempty"` // a directory of its own as TMPDIR
}

// LogTable is [pool.NAME.log]: where the workers' output goes.
type LogTable struct {
	Mode         string    `toml:"mode,omitempty"`   // auto, prefix, tail, inherit, json, file, journald
	File         string    `toml:"file,omitempty"`   // a template with {{.Pool}}, {{.Slot}} and {{.Stream}}
	Format       string    `toml:"format,omitempty"` // of the lines in the file: plain, prefix, json
	MaxSize      FileSize  `toml:"max_size,omitempty"`
	MaxAge       *Duration `toml:"max_age,omitempty"`
	Keep         *int      `toml:"keep,omitempty"`         // files that are full
	Compress     bool      `toml:"compress,omitempty"`     // those
	Backpressure bool      `toml:"backpressure,omitempty"` // workers wait for who is slow
}
