package main

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/events"
	"github.com/broodctl/brood/supervisor/machine"
)

// The patterns are those of the functions in config that read the words. A test tries both on the same ones.
const (
	durationWord = `(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)`
	factor       = ` *([0-9]+|cpus) *`
	bound        = `([0-9]+|infinity)`
	boundBytes   = `([0-9]+[KMGT]?|infinity)`
	poolKey      = `^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`
	listenKey    = `^[!-+\-.-9;<>-~]{1,255}$`
	variableKey  = `^[^=]+$`
	statuses     = `([2-5][xX][xX]|[2-5][0-9]{2}( *- *[2-5][0-9]{2})?)`
	anything     = `[\s\S]*\S[\s\S]*`
	account      = `^@?[^@: \t\n]+$`
)

// valueSchema is the schema of a type that is written in a form of its own, nil for all others.
func valueSchema(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[config.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: "^" + durationWord + "$", Examples: []any{"500ms", "30s", "1m30s"}}
	case reflect.TypeFor[config.Workers]():
		return workersSchema()
	case reflect.TypeFor[config.Size]():
		return numberOr(leastSize, 0, `^([0-9]+[MGT]|[0-9]*[1-9][0-9]{3}K|[0-9]{7,})$`, "512M", "2G")
	case reflect.TypeFor[config.FileSize]():
		return numberOr(0, 0, `^[0-9]+[KMGT]?$`, "100M", "1G")
	case reflect.TypeFor[config.Percent]():
		return &jsonschema.Schema{Type: "string", Pattern: `^(100000|[0-9]{1,5})%$`, Examples: []any{"80%"}}
	case reflect.TypeFor[config.Depth]():
		return &jsonschema.Schema{Type: "number", ExclusiveMinimum: jsonNumber(0), Maximum: jsonNumber(1_000_000)}
	case reflect.TypeFor[config.Weight]():
		return integer(1, 10_000)
	case reflect.TypeFor[config.Share]():
		return numberOr(0, machine.MaxWorkers, `^([0-9]+|(1000|[0-9]{1,3})%)$`, "25%")
	case reflect.TypeFor[config.Limit]():
		return numberOr(0, 0, `^`+boundBytes+`(:`+boundBytes+`)?$`, "64M", "1G:infinity", "infinity")
	case reflect.TypeFor[config.Nice]():
		return integer(-20, 19)
	case reflect.TypeFor[config.OOMScore]():
		return integer(-1000, 1000)
	case reflect.TypeFor[config.ExitWord]():
		return numberOr(1, 255, signalPattern(), 143, "TERM")
	}
	return nil
}

// leastSize is what Size.Of takes at least.
const leastSize = 1 << 20

// countSchema is a number of workers.
func countSchema() *jsonschema.Schema {
	return numberOr(1, machine.MaxWorkers, `^`+factor+`([+*]`+factor+`)*$`, "cpus", "2*cpus+1")
}

// workersSchema is a number of workers, or the bounds of one.
func workersSchema() *jsonschema.Schema {
	bounds := jsonschema.NewProperties()
	least, most := countSchema(), countSchema()
	least.Description, least.Default, most.Description = "How many workers there are at least.", 1, "How many workers there are at most."
	bounds.Set("min", least)
	bounds.Set("max", most)
	s := countSchema()
	s.AnyOf = append(s.AnyOf, &jsonschema.Schema{
		Type: "object", Properties: bounds, Required: []string{"max"}, AdditionalProperties: jsonschema.FalseSchema,
	})
	return s
}

func integer(least, most int) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: jsonNumber(least), Maximum: jsonNumber(most)}
}

// numberOr is a number from a minimum to a maximum, which is none if it is 0, or a string.
func numberOr(least, most int, pattern string, examples ...any) *jsonschema.Schema {
	n := &jsonschema.Schema{Type: "integer"}
	limit(n, least, most)
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{n, {Type: "string", Pattern: pattern}}, Examples: examples}
}

func limit(s *jsonschema.Schema, least, most int) {
	s.Minimum = jsonNumber(least)
	if most > 0 {
		s.Maximum = jsonNumber(most)
	}
}

// change is what a key's schema needs beside its type.
type change func(*jsonschema.Schema)

func words(all ...string) change {
	return func(s *jsonschema.Schema) {
		for _, word := range all {
			s.Enum = append(s.Enum, word)
		}
	}
}

// oneOfEach is an array of some of these words.
func oneOfEach(all ...string) change {
	return func(s *jsonschema.Schema) { words(all...)(s.Items) }
}

func kinds() []string {
	var all []string
	for _, k := range events.Kinds() {
		all = append(all, string(k))
	}
	return all
}

func pattern(p string, examples ...any) change {
	return func(s *jsonschema.Schema) { s.Pattern, s.Examples = p, examples }
}

func number(least, most int) change {
	return func(s *jsonschema.Schema) { limit(s, least, most) }
}

// pathOrTable is a table, or a string that stands for its path.
func pathOrTable(s *jsonschema.Schema) {
	s.AnyOf = []*jsonschema.Schema{{Type: "string", Pattern: `^/`}, {Ref: s.Ref}}
	s.Ref = ""
}

// list is an array in which no entry is empty or there twice.
func list(pattern string) change {
	return func(s *jsonschema.Schema) {
		s.UniqueItems = true
		s.Items.MinLength, s.Items.Pattern = new(uint64(1)), pattern
	}
}

// named is a table whose keys the user chose.
func named(pattern string) change {
	return func(s *jsonschema.Schema) {
		s.PatternProperties = map[string]*jsonschema.Schema{pattern: s.AdditionalProperties}
		s.AdditionalProperties = jsonschema.FalseSchema
	}
}

// things is a limit that counts no bytes.
func things(s *jsonschema.Schema) {
	s.AnyOf[1].Pattern, s.Examples = `^`+bound+`(:`+bound+`)?$`, []any{65535, "1024:65535", "infinity"}
}

// keys are the changes by table and key.
func keys() map[string]change {
	signal := pattern(signalPattern(), "TERM", "QUIT", "HUP", "USR2")
	return map[string]change{
		"File.listen": named(listenKey),
		"File.pool": func(s *jsonschema.Schema) {
			named(poolKey)(s)
			s.MinProperties = new(uint64(1))
		},
		"File.on_event":               named(poolKey),
		"CoordinationTable.group":     pattern(`^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$`, "web"),
		"CoordinationTable.directory": pattern(`^/`),
		"CoordinationTable.etcd": func(s *jsonschema.Schema) {
			list(`^https?://[^@/?#]+/?$`)(s)
			s.MinItems, s.Examples = new(uint64(1)), []any{[]string{"https://etcd1:2379", "https://etcd2:2379", "https://etcd3:2379"}}
		},
		"CoordinationTable.prefix":   pattern(`^(/[A-Za-z0-9._-]+)+$`),
		"CoordinationTable.on_lost":  words("stop", "keep"),
		"FleetTable.name":            pattern(`^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$`, "web"),
		"HookTable.exec":             func(s *jsonschema.Schema) { s.MinItems = new(uint64(1)) },
		"HookTable.url":              pattern(`^https?://[^@]+$`),
		"HookTable.events":           oneOfEach(kinds()...),
		"HookTable.states":           oneOfEach(events.States()...),
		"HookTable.causes":           oneOfEach(events.Causes()...),
		"HookTable.pools":            list(poolKey),
		"HookTable.headers":          named(`^[!#$%&'*+.^_|~0-9A-Za-z` + "`" + `-]+$`),
		"HookTable.attempts":         number(1, 100),
		"HookTable.queue":            number(1, 100_000),
		"SupervisorTable.name":       pattern(`^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$`),
		"SupervisorTable.control":    pathOrTable,
		"ControlTable.path":          pattern(`^/`),
		"ControlTable.read":          list(account),
		"ControlTable.write":         list(account),
		"ControlTable.tcp":           pattern(`^([0-9]{1,5}|(tcp[46]?:)?(\[[0-9A-Za-z:.%]+\]|[0-9.]+|localhost|\*)?:[0-9]{1,5})$`, "9181", "127.0.0.1:9181"),
		"SupervisorTable.http":       pattern(`^([0-9]{1,5}|unix:@?[^@]+|(tcp[46]?:)?(\[[0-9A-Za-z:.%]+\]|[0-9.]+|localhost|\*)?:[0-9]{1,5})$`, "9180", "127.0.0.1:9180", "unix:/run/brood/http.sock"),
		"SupervisorTable.http_hosts": list(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`),
		"SupervisorTable.log_level":  words("trace", "debug", "info", "warn", "error"),
		"SupervisorTable.log_format": words("auto", "json", "text"),

		"ListenTable.address": pattern(`:`, ":8080", "127.0.0.1:8080", "[::1]:80", "unix:/run/x.sock", "udp:127.0.0.1:53", "systemd:NAME"),
		"ListenTable.mode":    words(listener.ModeNames()...),
		"ListenTable.steer":   words(listener.PolicyNames()...),
		"ListenTable.backlog": number(1, 0),
		"ListenTable.perm":    pattern(`^0*[1-7][0-7]{0,2}$`, "0660"),
		"ListenTable.owner":   pattern(`^([^:]+(:[^:]+)?|:[^:]+)$`, "www-data", "root:www-data", ":www-data"),
		"ListenTable.public":  number(1, 65535),

		"PoolTable.command":     func(s *jsonschema.Schema) { s.MinItems = new(uint64(1)) },
		"PoolTable.listen":      list(`^([!-+\-.-9;<>-~]{1,255}|\*)$`),
		"PoolTable.env":         named(variableKey),
		"PoolTable.env_file":    list(`^-?[^-]|^--`),
		"PoolTable.credentials": credentials,
		"PoolTable.groups":      list(""),
		"PoolTable.umask":       pattern(`^0*[0-7]{1,3}$`, "0027"),

		"PoolTable.worker_ids":    pattern(`^[0-9]+-[0-9]+$`, "0-1023"),
		"PoolTable.worker_id_env": list(variableKey),
		"PoolTable.fds_env":       list(variableKey),

		"PoolTable.ready": pattern(`^(auto|notify|tcp|http:(//[^/ #]+)?/([^/ #][^ #]*)?|exec:`+anything+`|delay:`+durationWord+`)$`,
			"auto", "notify", "tcp", "http:/readyz", "exec:COMMAND", "delay:2s"),
		"PoolTable.reload":        words("auto", "signal", "roll"),
		"PoolTable.reload_signal": signal,
		"PoolTable.dump_signal":   signal,
		"PoolTable.orphans":       words("kill", "term", "keep"),

		"PoolTable.requires":  requires,
		"PoolTable.pre_start": func(s *jsonschema.Schema) { s.Items.MinLength = new(uint64(1)) },
		"PoolTable.after":     list(poolKey),

		"ProbeTable.http":              pattern(`^(https:)?/([^/ #][^ #]*)?$`, "/livez", "https:/livez"),
		"ProbeTable.tcp":               pattern(`:[^:]+$`, ":{{.Port.http}}", "127.0.0.1:9000"),
		"ProbeTable.unix":              pattern(`^(/|@|\{\{)[\s\S]+$`, "/run/web.{{.WorkerID}}.sock", "@web.{{.WorkerID}}"),
		"ProbeTable.exec":              pattern(anything),
		"ProbeTable.grpc":              func(s *jsonschema.Schema) { s.Pattern = `^[\s\S]*$` },
		"ProbeTable.address":           pattern(`:|\{\{`, ":{{.Port.admin}}", "unix:/run/web.{{.WorkerID}}.sock"),
		"ProbeTable.listener":          pattern(listenKey),
		"ProbeTable.status":            pattern(`^ *`+statuses+` *(, *`+statuses+` *)*$`, "200-399", "2xx,304"),
		"ProbeTable.headers":           named(`^[!#$%&'*+.^_|~0-9A-Za-z` + "`" + `-]+$`),
		"ProbeTable.host":              pattern("^[^ /\\\\?#@\"<>]+$"),
		"ProbeTable.success_threshold": number(1, 0),
		"ProbeTable.failure_threshold": number(1, 0),
		"RecycleTable.jitter":          func(s *jsonschema.Schema) { s.Pattern = `^0*(100|[0-9]{1,2})%$` },
		"RecycleTable.max_requests":    number(1, 0),
		"LimitsTable.cpu_max":          func(s *jsonschema.Schema) { s.Pattern = `^(100000|0{0,4}[1-9][0-9]{0,4})%$` },
		"LimitsTable.pids_max":         number(1, 0),

		"StopTable.signal":           signal,
		"RestartTable.policy":        words("always", "on-failure", "never"),
		"RestartTable.give_up_after": number(0, 0),
		"RolloutTable.order":         words("start-first", "stop-first"),
		"RolloutTable.max_unavailable": func(s *jsonschema.Schema) {
			s.AnyOf[1].Pattern = `^([0-9]+|(100|[0-9]{1,2})%)$` // there are no more workers to miss
		},
		"LimitsTable.nofile":        things,
		"LimitsTable.nproc":         things,
		"ProcessTable.ioprio":       pattern(`^(idle|(best-effort|realtime):0*[0-7])$`, "idle", "best-effort:4", "realtime:0"),
		"ProcessTable.cpus":         pattern(`^(spread|nodes|node:[0-9]+|[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)$`, "spread", "nodes", "node:0", "0-3,8"),
		"ProcessTable.capabilities": list(`^([Cc][Aa][Pp]_)?[A-Za-z][A-Za-z_]*$`),
		"LogTable.mode":             words("auto", "prefix", "tail", "inherit", "json", "file", "journald"),
		"LogTable.file":             pattern(`^[\s\S]*[^/]$`, "/var/log/brood/{{.Pool}}.{{.Slot}}.log"),
		"LogTable.format":           words("plain", "prefix", "json"),
		"LogTable.keep":             number(0, 0),
	}
}

func credentials(s *jsonschema.Schema) {
	s.AdditionalProperties.Pattern = `^(path:)?(/[\s\S]*|[!-.0-9;-~]{1,255})$`
	named(variableKey)(s)
}

func requires(s *jsonschema.Schema) {
	list(`^(tcp:(//)?[^@?/#\s]+:[0-9]+|unix:(//)?(/[^/]|@)[\s\S]*|env:[^$=\s][^=\s]*|file:([^/]|/$|/[^/]|///)[\s\S]*|exec:` + anything + `)$`)(s)
	s.Examples = []any{[]string{"tcp://127.0.0.1:5432", "unix:///run/x.sock", "env:API_KEYS", "file:/etc/key", "exec:pg_isready -q"}}
}

// signalNames are those of signal(7) on every architecture.
func signalNames() []string {
	return strings.Fields("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM CHLD CONT STOP TSTP TTIN TTOU " +
		"URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS")
}

func signalPattern() string {
	upper := strings.Join(signalNames(), "|")
	return `^((SIG)?(` + upper + `)|(sig)?(` + strings.ToLower(upper) + `)|[0-9]{1,3})$`
}

func jsonNumber(n int) json.Number { return json.Number(strconv.Itoa(n)) }
