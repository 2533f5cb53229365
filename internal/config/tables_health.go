package config

// ProbeTable is [pool.NAME.startup], [pool.NAME.readiness] and [pool.NAME.liveness]: how a worker is asked whether it has
// started, may get connections, works. One of the first five keys is said.
type ProbeTable struct {
	HTTP string  `toml:"http,omitempty"` // /PATH, https:/PATH
	TCP  string  `toml:"tcp,omitempty"`  // :PORT, HOST:PORT
	Unix string  `toml:"unix,omitempty"` // /PATH, @NAME
	Exec string  `toml:"exec,omitempty"` // for /bin/sh -c
	GRPC *string `toml:"grpc,omitempty"` // a service, or "", which is the whole server

	Address  string            `toml:"address,omitempty"`  // asked instead of the worker's listener
	Listener string            `toml:"listener,omitempty"` // which of several is asked
	Status   string            `toml:"status,omitempty"`   // what is healthy
	Body     string            `toml:"body,omitempty"`     // a regular expression that the body matches
	Host     string            `toml:"host,omitempty"`
	Headers  map[string]string `toml:"headers,omitempty"`

	InitialDelay     *Duration `toml:"initial_delay,omitempty"`     // before the first attempt
	Period           *Duration `toml:"period,omitempty"`            // from attempt to attempt
	Timeout          *Duration `toml:"timeout,omitempty"`           // of an attempt
	SuccessThreshold int       `toml:"success_threshold,omitempty"` // so many in a row make it pass
	FailureThreshold int       `toml:"failure_threshold,omitempty"` // so many in a row make it fail
}

// HealthTable is [pool.NAME.health]: what shows that a worker does not work without asking it.
type HealthTable struct {
	Watchdog *Duration `toml:"watchdog,omitempty"` // how often the worker says WATCHDOG=1
	Hang     *Duration `toml:"hang,omitempty"`     // how long its accept queue may stand still, or it may be stopped
	Trace    *Duration `toml:"trace,omitempty"`    // from SIGABRT to SIGKILL
}

// RecycleTable is [pool.NAME.recycle]: when a worker that works is replaced all the same.
type RecycleTable struct {
	MaxLifetime *Duration `toml:"max_lifetime,omitempty"`
	MaxMemory   Size      `toml:"max_memory,omitempty"` // of the worker and its descendants
	MaxRequests int       `toml:"max_requests,omitempty"`
	Jitter      *Percent  `toml:"jitter,omitempty"` // by how much workers differ
	Gap         *Duration `toml:"gap,omitempty"`    // between two workers
}

// AutoscaleTable is [pool.NAME.autoscale]: when there are more workers, and when fewer.
type AutoscaleTable struct {
	Queue     *Depth    `toml:"queue,omitempty"`      // connections that may wait per worker
	CPU       *Percent  `toml:"cpu,omitempty"`        // of one CPU, that the workers may use on average
	UpAfter   *Duration `toml:"up_after,omitempty"`   // how long it was too much
	DownAfter *Duration `toml:"down_after,omitempty"` // how long it was too little
}
