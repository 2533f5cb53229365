package config

import (
	"reflect"
	"slices"
	"strings"
)

// homeOf says where a key belongs that is known elsewhere; "" if it is known nowhere.
func homeOf(e *entry, key string) string {
	isPool := e.value.kind == aTable && (e.value.find("command") != nil || e.value.find("workers") != nil)
	isListener := e.value.kind == aTable && e.value.find("address") != nil
	switch {
	case key == "" && plain(e.name) != "pool" && isPool:
		return "a pool is written [" + Key("pool", e.name) + "]"
	case key == "" && isListener:
		return "a listener is written [" + Key("listen", e.name) + "]"
	case parent(key) == "pool" && isPool:
		return "a name with a dot is written [" + Key("pool", last(key)+"."+e.name) + "]"
	case key == "" && e.value.kind == aTable:
		return ""
	}
	pool := "pool.NAME"
	if strings.HasPrefix(key, "pool.") {
		pool = key
		for parent(pool) != "pool" {
			pool = parent(pool)
		}
	}
	return homeAmong(e.name, pool)
}

func homeAmong(name, pool string) string {
	table := reflect.TypeFor[PoolTable]()
	if alike(name, fields(table)) != "" {
		return "it belongs to [" + pool + "]"
	}
	for i, inner := range fields(table) {
		t := table.Field(i).Type
		if t.Kind() != reflect.Struct || t == reflect.TypeFor[ProbeTable]() {
			continue
		}
		switch known := alike(name, fields(t)); known {
		case "":
		case name:
			return "it belongs to [" + pool + "." + inner + "]"
		default:
			return "it belongs to [" + pool + "." + inner + "], as " + known
		}
	}
	switch {
	case alike(name, fields(reflect.TypeFor[ListenTable]())) != "":
		return "it belongs to [listen.NAME]"
	case alike(name, fields(reflect.TypeFor[SupervisorTable]())) != "":
		return "it belongs to [supervisor]"
	case alike(name, fields(reflect.TypeFor[ProbeTable]())) != "":
		return "it belongs to a probe: [" + pool + ".startup], [" + pool + ".readiness] or [" + pool + ".liveness]"
	}
	return ""
}

// alike is the word that is the same but for capitals, dashes and underscores; "" if there is none.
func alike(word string, words []string) string {
	for _, candidate := range words {
		if plain(candidate) == plain(word) {
			return candidate
		}
	}
	return ""
}

// others are words that other supervisors and people have for a key, behind the key.
const others = `
command       cmd exec execstart program argv script run
workers       processes numprocs instances replicas concurrency count num_workers worker_processes
dir           directory cwd chdir working_directory workdir
env           environment environ vars variables
env_file      environment_file dotenv
listen        bind listeners sockets ports
address       addr host bind listen url
perm          permissions chmod socket_mode
after         depends_on needs
credentials   secrets load_credential
pre_start     exec_start_pre prestart before
grace         timeout stopwaitsecs stop_timeout kill_timeout graceful_timeout
signal        stopsignal stop_signal kill_signal
policy        restart autorestart
give_up_after startretries max_restarts max_retries retries
stop_timeout  timeout timeout_stop_sec
http          http_get path url
period        period_seconds interval
timeout       timeout_seconds
initial_delay initial_delay_seconds start_period delay
failure_threshold retries unhealthy_threshold
success_threshold healthy_threshold
startup       startup_probe
readiness     readiness_probe
liveness      liveness_probe healthcheck health_check
watchdog      watchdog_sec watchdog_timeout
max_lifetime  runtime_max_sec max_worker_lifetime max_age
max_memory    max_memory_restart reload_on_rss max_rss
max_requests  max_jobs
memory_max    memory mem_limit memory_limit limit_memory
cpu_max       cpu cpus cpu_quota cpu_limit
pids_max      tasks_max pids_limit
min           min_replicas minimum
max           max_replicas maximum
queue         queue_depth backlog
nofile        open_files limit_nofile rlimit_nofile
pool          program programs service services workers
`

// alias is the key for which others have that word; "" if none of known is meant.
func alias(name string, known []string) string {
	for line := range strings.Lines(others) {
		words := strings.Fields(line)
		if len(words) > 0 && slices.Contains(known, words[0]) && alike(name, words[1:]) != "" {
			return words[0]
		}
	}
	return ""
}
