package worker_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/worker"
)

// The launches of these benchmarks end when every one of N tiny static programs
// has said that it runs. Compare the metric us/launch of
//
//	go test ./worker -run '^$' -bench Spawn -benchtime 5x
//
// The floor is a loop of vfork and execve in C, without any book-keeping.
var sizes = []int{8, 64, 1000}

func compile(b *testing.B, source string) string {
	b.Helper()
	out := filepath.Join(openDir(b), strings.TrimSuffix(source, ".c"))
	if text, err := exec.Command("cc", "-O2", "-static", "-o", out, filepath.Join("testdata", source)).CombinedOutput(); err != nil {
		b.Fatalf("cannot compile %s: %v\n%s", source, err, text)
	}
	return out
}

func BenchmarkSpawnFloor(b *testing.B) {
	floor, tiny := compile(b, "floor.c"), compile(b, "tiny.c")
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			total := 0.0
			for range b.N {
				text, err := exec.Command(floor, strconv.Itoa(n), tiny).Output()
				if err != nil {
					b.Fatal(err)
				}
				micros, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
				if err != nil {
					b.Fatal(err)
				}
				total += micros
			}
			b.ReportMetric(total/float64(b.N*n), "us/launch")
		})
	}
}

func BenchmarkSpawnDirect(b *testing.B) { benchmarkSpawn(b, worker.Command{}) }

func BenchmarkSpawnShim(b *testing.B) { benchmarkSpawn(b, worker.Command{ListenPID: true}) }

// What a user of its own, a mask and limits cost beside the shim.
func BenchmarkSpawnAs(b *testing.B) {
	testhost.Need(b, testhost.Root)
	benchmarkSpawn(b, worker.Command{
		As: stranger(), Umask: new(uint32), Limits: []worker.Limit{{Resource: syscall.RLIMIT_NOFILE, Soft: 256, Hard: 1024}},
	})
}

// What a control group costs, until it is there; its removal is not in it.
func BenchmarkSpawnGroup(b *testing.B) {
	all := newGroups(b)
	benchmarkSpawnIn(b, worker.Command{}, func() worker.Group { return all.next() })
}

func benchmarkSpawn(b *testing.B, cmd worker.Command) {
	benchmarkSpawnIn(b, cmd, func() worker.Group { return nil })
}

func benchmarkSpawnIn(b *testing.B, cmd worker.Command, group func() worker.Group) {
	tiny := compile(b, "tiny.c") // before the spawner, whose reaper would take the compiler's status
	s := newSpawner(b)
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var total time.Duration
			for range b.N {
				total += spawnMany(b, s, cmd, tiny, n, group)
			}
			b.ReportMetric(float64(total.Microseconds())/float64(b.N*n), "us/launch")
		})
	}
}

func spawnMany(b *testing.B, s *worker.Spawner, cmd worker.Command, tiny string, n int, group func() worker.Group) time.Duration {
	r, w := newPipe(b)
	var gone sync.WaitGroup
	gone.Add(n)
	results := make(chan worker.StartResult, n)
	cmd.Argv, cmd.Files = []string{tiny}, []int{w}
	cmd.Env = []string{"LISTEN_PID="}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = worker.DevNull, worker.DevNull, worker.DevNull
	cmd.OnGone = gone.Done
	begun := time.Now()
	for range n {
		cmd.Group = group()
		s.Start(cmd, func(r worker.StartResult) { results <- r })
	}
	for count, buf := 0, make([]byte, n); count < n; {
		got, err := r.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		count += got
	}
	took := time.Since(begun)
	for range n {
		result := <-results
		if result.Err != nil {
			b.Fatal(result.Err)
		}
		if err := result.Process.SignalGroup(syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
	}
	gone.Wait()
	_ = syscall.Close(w)
	_ = r.Close()
	return took
}

// BenchmarkReplace measures from kill -9 to the first instruction of the
// successor, which is started as soon as the death is told.
func BenchmarkReplaceDirect(b *testing.B) { benchmarkReplace(b, worker.Command{}) }

func BenchmarkReplaceShim(b *testing.B) { benchmarkReplace(b, worker.Command{ListenPID: true}) }

func benchmarkReplace(b *testing.B, cmd worker.Command) {
	tiny := compile(b, "tiny.c")
	s := newSpawner(b)
	r, w := newPipe(b)
	cmd.Argv, cmd.Files, cmd.Env = []string{tiny}, []int{w}, []string{"LISTEN_PID="}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = worker.DevNull, worker.DevNull, worker.DevNull
	last, gone := make(chan *worker.Process, 1), make(chan struct{})
	ending := make(chan struct{})
	var start func(worker.Exit) = func(worker.Exit) {
		select {
		case <-ending:
			close(gone)
		default:
			s.Start(cmd, func(r worker.StartResult) { last <- r.Process })
		}
	}
	cmd.OnExit = func(e worker.Exit) { start(e) }
	start(worker.Exit{})
	took := make([]time.Duration, 0, b.N)
	buf := make([]byte, 1)
	for b.Loop() {
		if _, err := r.Read(buf); err != nil {
			b.Fatal(err)
		}
		p := <-last
		begun := time.Now()
		if err := p.Signal(syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		next := <-last
		if _, err := r.Read(buf); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
		last <- next
		if _, err := syscall.Write(w, buf); err != nil { // the byte that the next round expects
			b.Fatal(err)
		}
	}
	close(ending)
	_ = (<-last).SignalGroup(syscall.SIGKILL)
	<-gone
	_ = syscall.Close(w)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "us-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "us-p99")
}
