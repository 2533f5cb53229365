//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testguest"
	"github.com/broodctl/brood/internal/testhost"
)

// What the log says of output that does not get where it should.
const (
	outputWaits  = "output of workers has to wait"
	outputLost   = "output of workers is lost"
	outputTooFar = "output of workers is lost: it comes faster than it is taken"
	outputAgain  = "output of workers arrives again"
)

// tooMany lines are more than any queue takes, and talkedOut has a worker write them in a second or two.
const tooMany = 150_000

func talkedOut() []string {
	return []string{"-every", "5ms", "-burst", "500", "-size", "100", "-total", fmt.Sprint(tooMany)}
}

// talker is a brood with one worker, which writes lines with numbers.
type talker struct {
	*brood
	http string
	pid  int
}

// talk launches one through a shell, which has a path as its $0.
func talk(t *testing.T, script, path string, flags, words []string) *talker {
	t.Helper()
	socket := filepath.Join(scratch(t, 0), "http")
	b := launch(t, options{
		flags:   append([]string{"-n", "1", "--ready", "notify", "--http", "unix:" + socket}, flags...),
		command: append([]string{guestBin(), testguest.Word, "talking"}, words...),
		launch:  inShell(script, path),
	})
	return &talker{brood: b, http: socket, pid: b.pool().Workers[0].PID}
}

// heard is the number of the last line that the worker has written.
func (b *talker) heard() int {
	b.t.Helper()
	var line struct{ Text string }
	text := b.must("logs", "web.0", "--lines", "1", "--stream", "stdout", "--output", "json")
	if text == "" {
		return 0
	}
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		b.t.Fatalf("%q: %v", text, err)
	}
	return number(b.t, line.Text, b.pid)
}

// number is that of a line, which must be whole.
func number(t *testing.T, line string, pid int) int {
	t.Helper()
	var from, n int
	var filling string
	if _, err := fmt.Sscanf(line, "%d %d %s", &from, &n, &filling); err != nil || from != pid || strings.Trim(filling, "x") != "" {
		t.Fatalf("no line of worker %d: %q", pid, line)
	}
	return n
}

// numbers are those of the lines of a text, which must ascend.
func (b *talker) numbers(text, prefix string) (all []int) {
	b.t.Helper()
	for line := range strings.Lines(text) {
		n := number(b.t, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), prefix), b.pid)
		if len(all) > 0 && n <= all[len(all)-1] {
			b.t.Fatalf("line %d comes after %d", n, all[len(all)-1])
		}
		all = append(all, n)
	}
	return all
}

// goesOn demands that the worker writes more, and is the one that it was.
func (b *talker) goesOn() {
	b.t.Helper()
	before := b.heard()
	b.await("more lines", func() bool { return b.heard() > before })
	b.lives()
}

// lives demands that the worker is the one that it was.
func (b *talker) lives() {
	b.t.Helper()
	if p := b.pool(); p.Restarts != 0 || !p.whole() || p.Workers[0].PID != b.pid {
		b.t.Errorf("%s, %d restarts; the worker was %d", p, p.Restarts, b.pid)
	}
}

// finishes waits until the worker has written all it has to say.
func (b *talker) finishes() {
	b.t.Helper()
	b.await("the last line", func() bool { return b.heard() == tooMany })
	b.lives()
}

// lost is how many lines are counted as lost.
func (b *talker) lost() int {
	b.t.Helper()
	return int(scrape(b.t, b.http)["brood_slot_log_dropped_lines_total"].value)
}

// trouble is a line of the log about output.
type trouble struct {
	Level   string `json:"level"`
	Message string `json:"message"`
	Where   string `json:"where"`
	Pool    string `json:"pool"`
	Error   string `json:"error"`
	Lines   int    `json:"lines"`
}

// awaitTrouble waits until the log has a line with a message.
func (b *talker) awaitTrouble(message string) (last trouble) {
	b.t.Helper()
	b.await(message, func() bool {
		for line := range strings.Lines(read(b.t, b.log)) {
			var tr trouble
			if json.Unmarshal([]byte(line), &tr) == nil && tr.Message == message {
				last = tr
			}
		}
		return last.Message != ""
	})
	return last
}

// account demands that each line has arrived or is counted, and that the log had the last word about it.
func (b *talker) account(arrived []int) {
	b.t.Helper()
	lost := b.lost()
	if len(arrived)+lost != tooMany || lost == 0 || arrived[0] != 1 {
		b.t.Errorf("%d arrived, from %d to %d, and %d are lost, of %d", len(arrived), arrived[0], arrived[len(arrived)-1], lost, tooMany)
	}
	if over := b.awaitTrouble(outputAgain); over.Lines != lost {
		b.t.Errorf("%d lines are lost, and %+v", lost, over)
	}
}

// own runs a program in the mount namespace of brood.
func (b *talker) own(argv ...string) {
	b.t.Helper()
	out, err := exec.CommandContext(b.t.Context(), "nsenter", append([]string{"-t", fmt.Sprint(b.cmd.Process.Pid), "-m"}, argv...)...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("%q: %v\n%s", argv, err, out)
	}
}

func (b *talker) sees(path string) string {
	return filepath.Join("/proc", fmt.Sprint(b.cmd.Process.Pid), "root", path)
}

// TestLogsOnAFullDisk: what fits no more is counted and said, and when there is room again lines arrive, each whole.
func TestLogsOnAFullDisk(t *testing.T) {
	testhost.Need(t, testhost.Root, testhost.Program("unshare"), testhost.Program("nsenter"))
	const mounted = `mount -t tmpfs -o size=1m none "$0" && exec "$@"`
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		dir := scratch(t, 0)
		path := filepath.Join(dir, "web.log")
		b := talk(t, `exec unshare --mount sh -c '`+mounted+`' "$0" "$@"`, dir, []string{"--worker-output", "file", "--log-file", path}, talkedOut())
		if tr := b.awaitTrouble(outputWaits); tr.Where != path || tr.Pool != "web" || !strings.Contains(tr.Error, "no space left") || tr.Level != "warn" {
			t.Errorf("%+v", tr)
		}
		b.finishes()
		b.awaitTrouble(outputLost)
		b.own("mount", "-o", "remount,size=64m", dir)
		b.awaitTrouble(outputAgain)
		b.account(b.numbers(read(t, b.sees(path)), ""))
		b.stop()
	})
	t.Run("stdout", func(t *testing.T) {
		t.Parallel()
		dir := scratch(t, 0)
		b := talk(t, `exec unshare --mount sh -c '`+mounted+` >"$0/out"' "$0" "$@"`, dir, nil, []string{"-every", "1ms", "-burst", "100", "-size", "100"})
		if tr := b.awaitTrouble(outputLost); tr.Where != "stdout" || !strings.Contains(tr.Error, "no space left") {
			t.Errorf("%+v", tr)
		}
		b.goesOn()
		b.own("mount", "-o", "remount,size=1g", dir)
		b.awaitTrouble(outputAgain)
		torn := 0
		for line := range strings.Lines(read(t, b.sees(filepath.Join(dir, "out")))) {
			if len(line) != len("web.0 | ")+100 || !strings.HasPrefix(line, "web.0 | ") {
				torn++
			}
		}
		if torn > 2 { // at the edge of the disk, and at the end of what was read
			t.Errorf("%d lines are torn", torn)
		}
		b.stop()
	})
}

// TestLogsWithoutADirectory: a directory that was removed is made again, and where it cannot be lines wait until it can.
func TestLogsWithoutADirectory(t *testing.T) {
	t.Parallel()
	parent := scratch(t, 0)
	dir := filepath.Join(parent, "logs")
	path := filepath.Join(dir, "web.log")
	b := talk(t, `exec "$@"`, "sh", []string{"--worker-output", "file", "--log-file", path}, []string{"-every", "1ms"})
	b.goesOn()
	remove := func() {
		t.Helper()
		if err := os.RemoveAll(dir); err != nil { // a line may come between
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	exists := func() bool { _, err := os.Stat(path); return err == nil }
	remove()
	b.await("the directory", exists)
	b.goesOn()

	remove()
	for touchNew(dir) != nil { // brood was faster
		remove()
	}
	if tr := b.awaitTrouble(outputWaits); tr.Where != path || !strings.Contains(tr.Error, "not a directory") {
		t.Errorf("%+v", tr)
	}
	b.goesOn()
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if tr := b.awaitTrouble(outputAgain); tr.Lines != 0 || b.lost() != 0 {
		t.Errorf("%+v, %d lost", tr, b.lost())
	}
	b.stop()
	all := b.numbers(read(t, path), "")
	if first, last := all[0], all[len(all)-1]; last-first+1 != len(all) {
		t.Errorf("%d lines, from %d to %d", len(all), first, last)
	}
}

func touchNew(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// TestLogsWithoutDescriptors: brood is started without a stdout, or a stderr, or both.
func TestLogsWithoutDescriptors(t *testing.T) {
	for _, closed := range []string{">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"} {
		for _, mode := range []string{"prefix", "tail", "inherit", "json"} {
			t.Run(mode+" "+closed, func(t *testing.T) {
				t.Parallel()
				b := launch(t, options{
					flags:   []string{"-n", "1", "--ready", "notify", "--worker-output", mode},
					command: []string{guestBin(), testguest.Word, "talking", "-every", "1ms"},
					launch:  inShell(`exec "$@" `+closed, "sh"),
				})
				talker := &talker{brood: b, pid: b.pool().Workers[0].PID}
				if mode == "inherit" {
					talker.lives()
				} else {
					talker.goesOn()
				}
				b.stop()
			})
		}
	}
}

// TestLogsOfAReaderThatLeaves: what nobody reads is counted and said; who comes back reads on.
func TestLogsOfAReaderThatLeaves(t *testing.T) {
	t.Parallel()
	fifo, reader := newFifo(t)
	b := talk(t, `exec "$@" >"$0"`, fifo, nil, []string{"-every", "1ms"})
	lines := bufio.NewScanner(reader)
	for range 100 {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if tr := b.awaitTrouble(outputLost); tr.Where != "stdout" || !strings.Contains(tr.Error, "broken pipe") || tr.Lines == 0 {
		t.Errorf("%+v", tr)
	}
	b.goesOn()
	lost := b.lost()
	reader = openFifo(t, fifo)
	lines = bufio.NewScanner(reader)
	for range 100 {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		number(t, strings.TrimPrefix(lines.Text(), "web.0 | "), b.pid)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }() // ends with the test
	if tr := b.awaitTrouble(outputAgain); tr.Lines < lost || lost == 0 {
		t.Errorf("%d were lost, and %+v", lost, tr)
	}
	b.lives()
	b.stop()
}

// TestLogsOfAReaderThatStops: nobody waits for it, and with what it reads in the end each line is accounted for.
func TestLogsOfAReaderThatStops(t *testing.T) {
	fifo, reader := newFifo(t)
	b := talk(t, `exec "$@" >"$0"`, fifo, nil, talkedOut())
	b.finishes()
	if tr := b.awaitTrouble(outputTooFar); tr.Where != "stdout" || tr.Error != "" || tr.Lines == 0 {
		t.Errorf("%+v", tr)
	}
	var text strings.Builder
	for lines, want := bufio.NewScanner(reader), tooMany-b.lost(); want > 0; want-- {
		if !lines.Scan() {
			t.Fatalf("%d more: %v", want, lines.Err())
		}
		text.WriteString(lines.Text() + "\n")
	}
	b.account(b.numbers(text.String(), "web.0 | "))
	b.stop()
}

// newFifo makes a named pipe, and opens it to read.
func newFifo(t *testing.T) (path string, reader *os.File) {
	t.Helper()
	path = filepath.Join(scratch(t, 0), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, openFifo(t, path)
}

func openFifo(t *testing.T, path string) *os.File {
	t.Helper()
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // which does not wait for who writes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	if err := reader.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return reader
}
