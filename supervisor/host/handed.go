package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/internal/handover"
	"github.com/broodctl/brood/internal/lease/remote"
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// formats are those of the document that one program leaves to the next. Whoever changes what a field means, or needs one
// that earlier versions do not write, counts Now up, and Oldest if it cannot do without; whoever writes what an earlier
// version would misread counts Least up. testdata/state has the documents of releases, and a test reads them all.
func formats() handover.Formats { return handover.Formats{Now: 1, Least: 1, Oldest: 1} }

// The variables by which one program speaks to the next.
const (
	envState  = "BROOD_UPGRADE_STATE"  // the descriptor of the document
	envFailed = "BROOD_UPGRADE_FAILED" // why a program that had taken over gave back
	envCaught = "BROOD_UPGRADE_CAUGHT" // the signals that it got
)

// handed is the document.
type handed struct {
	handover.Header
	Name       string // of the supervisor
	Supervisor supervisor.Handed
	Sockets    listener.Handed
	Taken      []listener.Config // of systemd's sockets, those that "*" has stood for
	Logs       *logs.Handed
	Groups     *cgroup.HandedTree
	Places     *remote.Saved `json:",omitempty"` // what is shared with supervisors of other machines
	Tmp        worker.HandedTmpDirs
	Parts      map[string]part
	Inherited  []int // all descriptors that were left, also those that a reader knows nothing of
	Back       int   // the file of the program that wrote it, to be executed if the next one cannot go on; -1 if it is lost
}

// part is what somebody else of the same process leaves to its like; see Keep.
type part struct {
	Data        json.RawMessage
	Descriptors []int
}

// descriptors are all numbers that the next program inherits, in so far as there are any.
func (h *handed) descriptors() []int {
	all := h.Sockets.Descriptors()
	all = append(all, h.Supervisor.Descriptors()...)
	all = append(all, h.Tmp.Descriptors()...)
	if h.Logs != nil {
		all = append(all, h.Logs.Descriptors()...)
	}
	if h.Groups != nil {
		all = append(all, h.Groups.Descriptors()...)
	}
	if h.Back >= 0 {
		all = append(all, &h.Back)
	}
	var numbers []int
	for _, fd := range all {
		numbers = append(numbers, *fd)
	}
	for _, p := range h.Parts {
		numbers = append(numbers, p.Descriptors...)
	}
	return numbers
}

// errOtherProcess: a state is of one process, and of its descriptors.
var errOtherProcess = errors.New("it is the state of another process")

// inherit reads what another program has left to this one; nil if it was started like any other. The variables are gone
// afterwards, and whatever happens the file stays open, so that it can be given back.
func inherit() (doc *handed, file int, failed string, err error) {
	word, is := os.LookupEnv(envState)
	if !is {
		return nil, -1, "", nil
	}
	failed = os.Getenv(envFailed)
	caught := signalsOf(os.Getenv(envCaught))
	for _, name := range []string{envState, envFailed, envCaught} {
		_ = os.Unsetenv(name)
	}
	fd, err := strconv.Atoi(word)
	if err != nil {
		return nil, -1, failed, fmt.Errorf("cannot read %s %q: %w", envState, word, err)
	}
	doc, err = readState(fd)
	if doc != nil && doc.PID != os.Getpid() {
		return nil, -1, failed, fmt.Errorf("cannot go on as process %d: %w", doc.PID, errOtherProcess)
	}
	if doc != nil {
		doc.Supervisor.Signals = append(doc.Supervisor.Signals, caught...)
	}
	return doc, fd, failed, err
}

// readState returns what it could read: the way back, if there is more than this program understands.
func readState(fd int) (*handed, error) {
	text, blob, err := handover.Load(fd)
	if err != nil {
		return nil, err
	}
	doc := &handed{}
	if _, err := formats().Read(text, doc); err != nil {
		return wayBack(text), err
	}
	if doc.Logs != nil {
		doc.Logs.Blob = blob
	}
	return doc, nil
}

// GivenBack reads what this program has handed on under a name, if the next one could not go on from there. It is for what
// has to be known before New.
func GivenBack(name string, into any) bool {
	fd, err := strconv.Atoi(os.Getenv(envState))
	if err != nil || os.Getenv(envFailed) == "" {
		return false
	}
	doc, err := readState(fd)
	if err != nil || doc.PID != os.Getpid() {
		return false
	}
	return json.Unmarshal(doc.Parts[name].Data, into) == nil
}

// wayBack is a document that is good for nothing but to go back; nil if it says nothing of that.
func wayBack(text []byte) *handed {
	var w struct {
		PID, Back int
		Inherited []int
	}
	if err := json.Unmarshal(text, &w); err != nil || len(w.Inherited) == 0 {
		return nil
	}
	return &handed{Header: handover.Header{PID: w.PID}, Inherited: w.Inherited, Back: w.Back}
}

// Preview is what the next program has to know of a state beforehand.
type Preview struct {
	Name    string       // of the supervisor
	From    string       // the version that wrote it
	Desired plan.Desired // what runs
}

// CheckState reads the state of a running supervisor from a descriptor, as one that goes on from there would. Nothing is
// taken over. Its error says why this version cannot go on.
func CheckState(fd int) (Preview, error) {
	doc, err := readState(fd)
	if err != nil {
		return Preview{}, err
	}
	if err := supervisor.CheckHanded(&doc.Supervisor); err != nil {
		return Preview{}, err
	}
	if err := checkPlaces(doc.Supervisor.Desired.Coordination); err != nil {
		return Preview{}, err
	}
	return Preview{Name: doc.Name, From: doc.From, Desired: doc.Supervisor.Desired}, nil
}
