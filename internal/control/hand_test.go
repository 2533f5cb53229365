package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// heir is a supervisor of the next program, which knows some of the requests that were made of the one before.
type heir struct {
	*slow
	mu       sync.Mutex
	rejoined []string
	asked    []supervisor.Request
}

func (h *heir) Rejoin(ctx context.Context, ticket string) supervisor.Verdict {
	h.mu.Lock()
	h.rejoined = append(h.rejoined, ticket)
	h.mu.Unlock()
	return h.slow.Do(ctx, supervisor.Request{})
}

func (h *heir) Do(_ context.Context, req supervisor.Request) supervisor.Verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, req)
	return supervisor.Verdict{Text: "heard at last"}
}

// replaced ends a server as the next program would: what it leaves goes through JSON, and its descriptors have other numbers.
// The server has paused.
func replaced(t *testing.T, server *Server, socket *Socket, outstanding ...string) (*Handed, *Socket) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	left := server.Hand(ctx, func(ticket string) bool { return slices.Contains(outstanding, ticket) })
	name, err := socket.Hand()
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range name.Descriptors() {
		if *fd, err = syscall.Dup(*fd); err != nil {
			t.Fatal(err)
		}
	}
	_ = socket.door.Close()
	_ = socket.lock.Close()
	server.api.ops.end()
	var handed Handed
	text, err := json.Marshal(left)
	if err = errors.Join(err, json.Unmarshal(text, &handed), handed.Check()); err != nil {
		t.Fatal(err)
	}
	next, err := AdoptSocket(name)
	if err != nil {
		t.Fatal(err)
	}
	next.Keep()
	return &handed, next
}

// Who comes while a server pauses waits, and what was under way goes on.
func TestPauseAndResume(t *testing.T) {
	s := newSlow()
	server, client := serve(t, s)
	defer server.Close()
	told := make(chan Result, 1)
	go func() { told <- post[Result](t, client, "/v1/roll", `{"wait_seconds": 60}`, 202) }()
	for len(get[Operations](t, client, PathOperations, 200).Operations) == 0 {
		<-time.After(time.Millisecond)
	}
	looked := make(chan Operation, 1)
	go func() { looked <- get[Operation](t, client, PathOperations+"/op-1?wait_seconds=60", 200) }()
	for range 3 {
		begin := time.Now()
		server.Pause(t.Context())
		if took := time.Since(begin); took > 900*time.Millisecond {
			t.Errorf("Pause took %s", took)
		}
		asked := make(chan error, 1)
		go func() {
			_, err := client.Status(t.Context())
			asked <- err
		}()
		select {
		case err := <-asked:
			t.Errorf("answered while it pauses: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		server.Resume()
		if err := <-asked; err != nil {
			t.Error(err)
		}
	}
	if got := <-told; !got.Accepted || got.Operation != "op-1" {
		t.Errorf("%+v", got)
	}
	if got := <-looked; got.State != OperationRunning {
		t.Errorf("%+v", got)
	}
	s.verdicts <- supervisor.Verdict{Text: "through"}
	if got := get[Operation](t, client, PathOperations+"/op-1?wait_seconds=60", 200); got.Text != "through" {
		t.Errorf("%+v", got)
	}
}

// A refusal that comes at once is told, however short the time is.
func TestPauseTellsRefusals(t *testing.T) {
	over := make(chan struct{})
	close(over)
	op := newUnder(Body{}, supervisor.Request{})
	time.AfterFunc(10*time.Millisecond, func() { close(op.answered) })
	if err := await(t.Context(), op, time.Minute, over); err != nil {
		t.Error(err)
	}
}

func TestNoneBeginsWhileItPauses(t *testing.T) {
	f := &fake{}
	server, _ := serve(t, f)
	defer server.Close()
	h := server.Web(&Tokens{Write: writeTokenFile(t)})
	server.Pause(t.Context())
	w := askWeb(t, h, "POST", "/v1/roll", writeToken)
	if got := read[Failure](t, "roll", w.Result(), 503); got.Code != CodeUpgrading || len(f.asked) > 0 {
		t.Errorf("%+v, asked for %+v", got, f.asked)
	}
}

// Operations of every kind go on with the next program, and their numbers with them.
func TestOperationsAreHanded(t *testing.T) {
	s := newSlow()
	socket, err := Listen(filepath.Join(t.TempDir(), "web.sock"), Access{})
	if err != nil {
		t.Fatal(err)
	}
	server, client := Serve(socket, s, Options{}), NewClient(socket.path)
	ask := func(path, body string, v supervisor.Verdict) {
		s.verdicts <- v
		post[json.RawMessage](t, client, path, body, map[bool]int{true: 200, false: 409}[v.Err == nil])
	}
	ask("/v1/roll", `{"wait_seconds": 60}`, supervisor.Verdict{Err: fmt.Errorf("worker died: %w", supervisor.ErrRollout), Lines: []string{"no table"}})
	s.become(func(p *supervisor.PoolView) { p.Desired, p.Ready = 3, 2 })
	ask("/v1/scale", `{"workers": 3}`, supervisor.Verdict{Text: "goes to 3 workers"})
	post[Result](t, client, "/v1/roll", `{"pool": "web"}`, 202)
	post[Result](t, client, "/v1/signal", `{"pool": "web", "slot": 1, "signal": "USR1", "force": true}`, 202)
	server.Pause(t.Context())
	handed, socket := replaced(t, server, socket, "op-3", "op-1")

	next := &heir{slow: newSlow()}
	next.become(func(p *supervisor.PoolView) { p.Desired, p.Ready = 3, 2 })
	server = Serve(socket, next, Options{Handed: handed})
	defer socket.Remove()
	defer server.Close()
	if got := get[Operation](t, client, PathOperations+"/op-1?wait_seconds=60", 200); got.Code != CodeRollout || got.Lines[0] != "no table" || got.UID == nil {
		t.Errorf("one that has ended: %+v", got)
	}
	if got := get[Operation](t, client, PathOperations+"/op-2", 200); got.State != OperationRunning || got.Workers != 3 {
		t.Errorf("one that has been answered: %+v", got)
	}
	next.become(func(p *supervisor.PoolView) { p.Ready = 3 })
	if got := get[Operation](t, client, PathOperations+"/op-2?wait_seconds=60", 200); got.State != OperationDone || got.Text != "goes to 3 workers" {
		t.Errorf("one that has been answered: %+v", got)
	}
	next.verdicts <- supervisor.Verdict{Text: "rolled"}
	if got := get[Operation](t, client, PathOperations+"/op-3?wait_seconds=60", 200); got.Text != "rolled" || got.Pool != "web" {
		t.Errorf("one that is outstanding: %+v", got)
	}
	if got := get[Operation](t, client, PathOperations+"/op-4?wait_seconds=60", 200); got.Text != "heard at last" || got.Signal != "USR1" {
		t.Errorf("one that nobody has heard of: %+v", got)
	}
	if got := post[Result](t, client, "/v1/roll", `{"wait_seconds": 60}`, 200); got.Operation != "op-5" {
		t.Errorf("the next one: %+v", got)
	}
	next.mu.Lock()
	defer next.mu.Unlock()
	if !slices.Equal(next.rejoined, []string{"op-3"}) {
		t.Errorf("came back for %v", next.rejoined)
	}
	want := supervisor.Request{Verb: supervisor.Signal, Pool: "web", Slot: new(1), Signal: syscall.SIGUSR1, Force: true, UID: os.Geteuid(), PID: os.Getpid(), Ticket: "op-4"}
	if got := next.asked[0]; fmt.Sprint(*got.Slot) != "1" || got.Ticket != want.Ticket || got.Signal != want.Signal || got.UID != want.UID || got.PID != want.PID || !got.Force {
		t.Errorf("asked for %+v, want %+v", got, want)
	}
}

// An answer that is on its way when the program ends is handed as one that has been given.
func TestAnswerOnItsWay(t *testing.T) {
	s := newSlow()
	server, client := serve(t, s)
	defer server.Close()
	post[Result](t, client, "/v1/roll", `{}`, 202)
	server.Pause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { s.verdicts <- supervisor.Verdict{Err: errors.New("no such file")} })
	h := server.Hand(t.Context(), func(string) bool { return false })
	if got := h.Operations[0]; got.Asked || got.Answer != nil || got.Seen.Error != "no such file" {
		t.Errorf("%+v", got)
	}
}

func TestLostInAnUpgrade(t *testing.T) {
	h := &Handed{Serial: 3, Operations: []HandedOperation{{Seen: Operation{ID: "op-3", Verb: supervisor.Roll, State: OperationRunning}, Asked: true}}}
	o := newOperations(&fake{}) // which knows nothing of requests before
	o.take(h)
	op := o.find("op-3")
	<-op.ended
	if got := o.of(op); got.State != OperationFailed || !strings.Contains(got.Error, "lost") {
		t.Errorf("%+v", got)
	}
	o.end()
}

func TestHandedNonsense(t *testing.T) {
	op := func(id, state string) HandedOperation { return HandedOperation{Seen: Operation{ID: id, State: state}} }
	bad := op("op-1", OperationDone)
	bad.Seen.Signal = "NONE"
	for what, h := range map[string]Handed{
		"beyond the latest": {Serial: 1, Operations: []HandedOperation{op("op-2", OperationDone)}},
		"twice":             {Serial: 2, Operations: []HandedOperation{op("op-1", OperationDone), op("op-1", OperationDone)}},
		"another form":      {Serial: 2, Operations: []HandedOperation{op("op-01", OperationDone)}},
		"odd state":         {Serial: 2, Operations: []HandedOperation{op("op-1", "odd")}},
		"odd signal":        {Serial: 2, Operations: []HandedOperation{bad}},
		"too many":          {Serial: 200, Operations: make([]HandedOperation, operationsKept+1)},
	} {
		if err := h.Check(); !errors.Is(err, ErrHanded) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzHanded(f *testing.F) {
	f.Add(`{"serial": 2, "operations": [{"seen": {"id": "op-1", "verb": "signal", "signal": "USR1", "state": "done"}}, {"seen": {"id": "op-2", "state": "running"}, "asked": true}]}`)
	f.Add(`{"serial": 9, "operations": [{"seen": {"id": "op-9", "verb": "scale", "state": "running"}, "answer": {"aims": [{"pool": "web", "workers": 2}]}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var h Handed
		if json.Unmarshal([]byte(text), &h) != nil || h.Check() != nil {
			return
		}
		o := newOperations(&fake{})
		defer o.end()
		o.take(&h)
		if len(o.all) != len(h.Operations) {
			t.Errorf("%d of %d", len(o.all), len(h.Operations))
		}
	})
}

// The socket is taken over with its lock, and who finds that he cannot go on leaves all as it is.
func TestSocketIsHanded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	first, err := Listen(path, Access{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := first.Hand()
	if err != nil {
		t.Fatal(err)
	}
	second, err := AdoptSocket(h)
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Close()
	_ = second.lock.Close()
	if _, err := Listen(path, Access{}); !errors.Is(err, ErrTaken) {
		t.Errorf("the name is lost: %v", err)
	}
	server := Serve(first, &fake{}, Options{})
	if _, err := NewClient(path).Status(t.Context()); err != nil {
		t.Errorf("the socket is lost: %v", err)
	}
	if _, err := AdoptSocket(HandedSocket{Path: path, FD: h.Lock, Lock: h.Lock}); err == nil {
		t.Error("a file is no socket")
	}
	other, err := os.Create(path + ".other")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := AdoptSocket(HandedSocket{Path: path, FD: h.FD, Lock: int(other.Fd())}); !errors.Is(err, errOtherLock) {
		t.Errorf("%v", err)
	}
	server.Close()
	first.Remove()
	if _, err := AdoptSocket(h); err == nil {
		t.Error("it is gone")
	}
}

// A socket that was taken over is for those whom the next configuration names.
func TestSocketAdmits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	s, err := Listen(path, Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Remove()
	everyone := Access{Read: &Grant{}}
	for _, tt := range []struct {
		by     os.FileMode // somebody's own, 0 for nobody's
		access Access
		want   os.FileMode
	}{{0, Access{}, 0o660}, {0, everyone, 0o666}, {0, everyone, 0o666}, {0, Access{}, 0o660}, {0o600, Access{}, 0o600}, {0, everyone, 0o666}} {
		if tt.by != 0 {
			err = os.Chmod(path, tt.by)
		}
		if err = errors.Join(err, s.Admit(tt.access)); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != tt.want {
			t.Errorf("%v: %v, want %v", info.Mode(), err, tt.want)
		}
	}
}
