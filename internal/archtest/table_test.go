package archtest

// Foreign modules that have a place of their own. A prefix of the import path.
const (
	cli       = "github.com/urfave/cli/v2"
	zerolog   = "github.com/rs/zerolog"
	goSystemd = "github.com/coreos/go-systemd/v22"
	xsys      = "golang.org/x/sys"
	xterm     = "golang.org/x/term"
	xbpf      = "golang.org/x/net/bpf"
	goDiff    = "github.com/rogpeppe/go-internal/diff"
	goTOML    = "github.com/pelletier/go-toml/v2"

	bubbletea = "charm.land/bubbletea/v2"
	lipgloss  = "charm.land/lipgloss/v2"

	prometheus = "github.com/prometheus"
	jsonSchema = "github.com/invopop/jsonschema"

	etcd = "go.etcd.io/etcd"
	grpc = "google.golang.org/grpc"
	zap  = "go.uber.org/zap"
)

// testOnly may be imported by tests of any package, and by nothing else.
var testOnly = []string{
	"github.com/chromedp/cdproto",
	"github.com/chromedp/chromedp",
	"github.com/google/go-cmp",
	"github.com/rogpeppe/go-internal",
	"github.com/santhosh-tekuri/jsonschema/v6",
	"go.uber.org/goleak",
	"go.yaml.in/yaml/v4",
	"pgregory.net/rapid",
}

// rule says what the files of one folder may import. What is not listed is
// forbidden; tests may import the ours of testOurs as well.
type rule struct {
	dir      string
	ours     []string // relative to the module; "*" for all
	testOurs []string
	foreign  []string
	std      []string // nil: all of the standard library
	reason   string
}

// rules is the whole table. Arrows point to the leaves.
var rules = []rule{
	{
		dir:     "cmd/brood",
		ours:    []string{"*"},
		foreign: []string{cli, zerolog, xsys, xterm, goDiff},
		reason:  "words in, wiring, exit codes: it knows everybody, and nobody knows it",
	},
	{
		dir: "supervisor",
		ours: []string{
			"internal/cgroup", "internal/deadman", "internal/fleet", "internal/lease", "internal/probe", "internal/redact", "supervisor/events", "supervisor/machine", "supervisor/plan", "supervisor/scale", "worker", "worker/handshake",
			"listener",
		},
		testOurs: []string{"internal/lease/memory", "internal/lease/remote"},
		foreign:  []string{zerolog, goSystemd, xsys},
		reason:   "performs what the machine decides on workers and sockets; who shows its state imports it, not the reverse",
	},
	{
		dir: "supervisor/host",
		ours: []string{
			"internal/cgroup", "internal/config", "internal/control", "internal/deadman", "internal/fdstore", "internal/handover", "internal/lease",
			"internal/lease/etcd", "internal/lease/local", "internal/lease/remote", "internal/logs", "internal/poll", "internal/require", "listener", "supervisor", "supervisor/plan",
			"worker", "worker/handshake",
		},
		testOurs: []string{"internal/testhost", "supervisor/host"},
		foreign:  []string{zerolog, goSystemd + "/daemon", xterm},
		reason:   "the world of a supervisor made of the real things, for brood and for programs of others: it knows all that a supervisor needs, and no flag",
	},
	{
		dir:    "supervisor/machine",
		std:    []string{"cmp", "errors", "fmt", "maps", "math", "math/bits", "slices", "strconv", "strings", "time"},
		reason: "pure decisions: without os, net, sync and context there is nothing impure it could do",
	},
	{
		dir:     "supervisor/events",
		foreign: []string{},
		reason:  "what happened, for readers of any kind: it knows none of them",
	},
	{
		dir:      "supervisor/scale",
		testOurs: []string{"supervisor/scale"},
		std:      []string{"math", "time"},
		reason:   "a pure decision over numbers: what they are of, and how they are read, is the rim's business",
	},
	{
		dir:      "supervisor/plan",
		ours:     []string{"internal/cgroup", "internal/fleet", "internal/probe", "supervisor/machine", "worker", "listener"},
		testOurs: []string{"supervisor/plan"},
		reason:   "compares two descriptions and orders the changes: it knows what pools are made of, and no running one",
	},
	{
		dir:      "listener",
		ours:     []string{"internal/poll"},
		testOurs: []string{"internal/loadgen", "internal/testguest", "internal/testhost"},
		foreign:  []string{goSystemd, xsys, xbpf},
		reason:   "sockets know neither workers nor the loop; other programs may use them without our log",
	},
	{
		dir:      "worker",
		ours:     []string{"worker/handshake", "worker/shim", "internal/poll"},
		testOurs: []string{"worker", "worker/self", "internal/cgroup", "internal/deadman", "internal/testguest", "internal/testhost"},
		foreign:  []string{xsys},
		reason:   "one process seen from its parent: no policy, no sockets, no log",
	},
	{
		dir:    "worker/handshake",
		reason: "the contract that both sides share must cost a guest program nothing",
	},
	{
		dir:      "worker/self",
		ours:     []string{"worker/handshake"},
		testOurs: []string{"worker/self"},
		reason:   "what foreign programs import: the standard library and the contract",
	},
	{
		dir:    "worker/shim",
		std:    []string{"syscall", "unsafe"},
		reason: "runs in front of every worker's exec; each package more is paid a thousand times at a start of a thousand",
	},
	{
		dir:      "internal/cgroup",
		testOurs: []string{"internal/poll", "internal/testhost"},
		foreign:  []string{xsys},
		reason:   "the kernel's files about groups of processes; whose they are is the supervisor's business",
	},
	{
		dir: "internal/config",
		ours: []string{
			"internal/cgroup", "internal/fleet", "internal/probe", "internal/redact", "internal/require", "listener", "supervisor/events", "supervisor/machine", "supervisor/plan",
			"worker", "worker/handshake",
		},
		testOurs: []string{"internal/testhost"},
		foreign:  []string{goTOML, xsys},
		reason:   "words to what they mean: it reads files, and opens and starts nothing",
	},
	{
		dir:     "internal/config/schema",
		ours:    []string{"internal/config", "listener", "supervisor/events", "supervisor/machine"},
		foreign: []string{goTOML, jsonSchema},
		reason:  "a generator that editors need and brood does not: its library must not be linked into brood",
	},
	{
		dir:      "internal/control",
		ours:     []string{"internal/door", "internal/fleet", "internal/logs", "supervisor", "supervisor/events"},
		testOurs: []string{"supervisor/plan"},
		foreign:  []string{xsys, zerolog},
		reason:   "shows the supervisor's snapshot and passes on requests",
	},
	{
		dir:     "internal/metrics",
		ours:    []string{"internal/logs", "supervisor", "supervisor/machine"},
		foreign: []string{zerolog, prometheus},
		reason:  "turns a snapshot into numbers, and counts nothing itself; who serves them is the wiring's business",
	},
	{
		dir:     "internal/door",
		foreign: []string{xsys},
		reason:  "a listening socket that outlives those who serve it: it knows none of them",
	},
	{
		dir:     "internal/web",
		ours:    []string{"internal/door", "listener", "supervisor", "supervisor/machine"},
		foreign: []string{zerolog},
		reason:  "shows how the supervisor does, and can ask it for nothing; what else it shows is handed in",
	},
	{
		dir:    "internal/webui",
		reason: "a page and what guards it: the API that it asks is handed in",
	},
	{
		dir:    "internal/hooks",
		ours:   []string{"supervisor/events"},
		reason: "passes on events; how a program is run is the supervisor's business",
	},
	{
		dir:     "internal/redact",
		foreign: []string{},
		reason:  "words that may be shown: whoever shows commands and addresses imports it, and it knows nobody",
	},
	{
		dir:      "internal/text",
		testOurs: []string{},
		foreign:  []string{},
		reason:   "words of others on their way to a terminal: whoever shows some may import it, and it knows nobody",
	},
	{
		dir:    "internal/progress",
		ours:   []string{"internal/text", "supervisor"},
		reason: "compares the supervisor's snapshots and draws them; where they come from is the command's business",
	},
	{
		dir:     "internal/top",
		ours:    []string{"internal/control", "internal/text", "internal/top/inspect", "supervisor", "supervisor/events"},
		foreign: []string{bubbletea, lipgloss},
		reason:  "a table of the supervisor's snapshots, and the requests that somebody makes from it; the one place with a terminal library",
	},
	{
		dir:    "internal/top/inspect",
		reason: "what the kernel tells of a process: it knows no supervisor",
	},
	{
		dir:      "internal/logs",
		testOurs: []string{"internal/poll", "internal/testhost"},
		foreign:  []string{xsys},
		reason:   "bytes from pipes to descriptors; the poller is an interface of its own",
	},
	{
		dir:      "internal/fdstore",
		testOurs: []string{"internal/testhost"},
		foreign:  []string{xsys},
		reason:   "what the service manager keeps, whatever it is: descriptors and a text about them",
	},
	{
		dir:     "internal/poll",
		foreign: []string{xsys},
		reason:  "waits for descriptors, whoever owns them",
	},
	{
		dir:      "internal/nftables",
		ours:     []string{"internal/config", "listener"},
		testOurs: []string{"internal/nftables", "internal/testhost", "supervisor/machine"},
		reason:   "text from a configuration: it loads no rule and writes no file",
	},
	{
		dir:      "internal/units",
		ours:     []string{"internal/config", "listener", "worker"},
		testOurs: []string{"internal/testhost", "internal/units", "supervisor/machine"},
		foreign:  []string{xsys},
		reason:   "text from a configuration: it speaks to no systemd and writes no file",
	},
	{
		dir:      "internal/probe",
		testOurs: []string{"internal/probe"},
		reason:   "asks one worker and counts its answers: what follows from them is the machine's business",
	},
	{
		dir:      "internal/require",
		ours:     []string{"internal/redact"},
		testOurs: []string{"internal/require"},
		reason:   "looks at the outside world once or often: knows neither pools nor how their commands are run",
	},
	{
		dir:      "internal/deadman",
		testOurs: []string{"worker/shim"},
		foreign:  []string{xsys},
		reason:   "a process that knows deadlines and pidfds: it depends on little, as it runs before much of the program is initialised",
	},
	{
		dir:      "internal/handover",
		testOurs: []string{"internal/handover"},
		foreign:  []string{xsys},
		reason:   "the envelope of what one program leaves to the next, and who can read it: what is in it is package host's affair",
	},
	{
		dir:    "internal/lease",
		reason: "a promise about places and who has them: who needs one, and what keeps them, know it and not each other",
	},
	{
		dir:      "internal/fleet",
		ours:     []string{"internal/lease"},
		testOurs: []string{"internal/fleet", "internal/lease/memory", "internal/lease/remote"},
		reason:   "the rules of taking turns, over any engine: it knows no pool and no rollout",
	},
	{
		dir:      "internal/lease/etcd",
		ours:     []string{"internal/lease", "internal/lease/remote"},
		testOurs: []string{"internal/lease/etcd", "internal/lease/leasetest", "internal/testetcd", "internal/testhost"},
		foreign:  []string{etcd, grpc, zap},
		reason:   "the one place that speaks to etcd; the rules of what it says are not its own",
	},
	{
		dir:     "internal/lease/leasetest",
		ours:    []string{"internal/lease"},
		foreign: []string{},
		reason:  "the contract that every engine passes: it knows none of them",
	},
	{
		dir:      "internal/lease/local",
		ours:     []string{"internal/lease"},
		testOurs: []string{"internal/lease/leasetest", "internal/lease/local"},
		foreign:  []string{xsys},
		reason:   "locks of this machine's kernel, of whatever they are: it knows no worker",
	},
	{
		dir:      "internal/lease/memory",
		ours:     []string{"internal/lease", "internal/lease/remote"},
		testOurs: []string{"internal/lease/leasetest", "internal/lease/memory"},
		foreign:  []string{},
		reason:   "the model of a store for tests: nothing that brood is built from needs it",
	},
	{
		dir:      "internal/lease/remote",
		ours:     []string{"internal/lease"},
		testOurs: []string{"internal/lease/remote"},
		foreign:  []string{xsys},
		reason:   "sessions and places over any store: the same under virtual time as over a network",
	},
	{
		dir:     "internal/loadgen",
		foreign: []string{xsys},
		reason:  "a client that shares no code with what it measures",
	},
	{
		dir:    "internal/loadgen/loadgen",
		ours:   []string{"internal/loadgen"},
		reason: "the load generator as a command",
	},
	{
		dir:     "internal/testguest",
		ours:    []string{"worker/handshake", "worker/self", "internal/loadgen"},
		foreign: []string{xsys},
		reason:  "a worker knows the contract and nothing of its supervisor",
	},
	{
		dir:    "internal/testguest/guest",
		ours:   []string{"internal/testguest"},
		reason: "the guests as a program of their own",
	},
	{
		dir:     "internal/testetcd",
		foreign: []string{},
		reason:  "starts and kills etcd: it speaks to none of its services",
	},
	{
		dir:     "internal/testhost",
		foreign: []string{xsys},
		reason:  "a machine for tests, made of namespaces: knows the system, not brood",
	},
	{
		dir:     "internal/testvm",
		ours:    []string{"internal/testhost"},
		foreign: []string{xsys},
		reason:  "a virtual machine for tests: knows qemu, not brood",
	},
	{
		dir:      "internal/bench",
		ours:     []string{"internal/loadgen", "internal/testguest", "worker/handshake"},
		testOurs: []string{"internal/testhost"},
		foreign:  []string{xsys},
		reason:   "measures the built binary from outside, as a user would",
	},
	{
		dir:     "internal/kubeschema",
		foreign: []string{"k8s.io", "sigs.k8s.io/yaml"},
		reason:  "a generator in a module of its own: whoever imports brood must not see Kubernetes in its sums",
	},
	{
		dir:     "internal/nomadjob",
		foreign: []string{"github.com/hashicorp/hcl", "github.com/hashicorp/nomad/api", "github.com/zclconf/go-cty"},
		reason:  "the same for Nomad's job",
	},
	{
		dir:    "internal/compat",
		ours:   []string{"internal/loadgen"},
		reason: "runs the built binary with servers of others, as a user would",
	},
	{
		dir:    "internal/compat/compat",
		ours:   []string{"internal/compat"},
		reason: "the same as a command, which writes the page",
	},
	{
		dir:     "internal/compat/gohttp",
		foreign: []string{goSystemd},
		reason:  "one of those servers: a service of systemd that has never heard of brood",
	},
	{
		dir:    "internal/mutate",
		reason: "plants bugs into the text of the machine: must not be built from it",
	},
	{
		dir:    "internal/archtest",
		reason: "reads the tree as text",
	},
	{
		dir:    "examples/worker",
		ours:   []string{"worker/self"},
		reason: "what a program of somebody else may look like",
	},
	{
		dir:    "examples/embedding",
		ours:   []string{"listener", "supervisor", "supervisor/host", "supervisor/plan", "worker", "worker/self"},
		reason: "what a program of somebody else may look like that has a supervisor in it",
	},
	{
		dir:    "contrib/completions",
		std:    []string{"embed"},
		reason: "scripts that the program prints and the Makefile installs: one copy of each",
	},
	{
		dir:      "contrib",
		testOurs: []string{"internal/config", "internal/loadgen", "internal/nftables", "internal/testguest", "internal/testhost", "listener", "supervisor/machine"},
		reason:   "files to copy; their test tries them on a real system",
	},
	{
		dir:     "examples/inferadb-control/stand-in",
		foreign: []string{},
		reason:  "a foreign program's contract, for the test of its example: it has never heard of brood",
	},
	{
		dir: "e2e",
		testOurs: []string{
			"internal/compat", "internal/control", "internal/fleet", "internal/loadgen", "internal/logs", "internal/testetcd", "internal/testguest", "internal/testhost", "internal/testvm", "internal/webui",
			"supervisor", "supervisor/events", "worker/handshake",
		},
		foreign: []string{xsys},
		reason:  "drives the built binary; it may read the types of the API, not reach into the loop",
	},
}

// exception permits one file what a rule forbids to all.
type exception struct{ file, reason string }

// sleepers are the tests that may call time.Sleep.
var sleepers = []exception{
	{"supervisor/stage_test.go", "inside a testing/synctest bubble a sleep is what lets the fake time pass"},
}

// initializers may have func init.
var initializers = []exception{
	{"worker/shim/", "must run before any other package of the binary is initialised"},
	{"internal/deadman/", "the same: it stays, and costs little as long as nothing is initialised"},
	{"examples/embedding/main.go", "as cmd/brood/main.go"},
	{"supervisor/host/main_test.go", "as cmd/brood/main.go"},
	{"worker/chain_test.go", "as cmd/brood/main.go"},
	{"cmd/brood/main.go", "the main goroutine is on the main thread for certain only there, and forks must happen on it"},
}
