package self_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/broodctl/brood/worker/self"
)

// A web server that works below brood, below systemd, and started by hand.
func Example() {
	draining, stop := self.Draining(context.Background())
	defer stop()
	reloads, err := self.Reloads(draining)
	if err != nil {
		log.Print(err)
	}

	listener, err := self.Listener("http")
	if errors.Is(err, self.ErrNotPassed) {
		listener, err = net.Listen("tcp", "127.0.0.1:8080")
	}
	if err != nil {
		log.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "worker %d, slot %d of %d\n", self.ID(), self.Slot(), self.Workers())
	})
	server := &http.Server{Handler: self.CountRequests(hello)} // for max_requests
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if err := self.Ready(); err != nil {
		log.Print(err)
	}
	go self.Watchdog(draining, nil)

	for {
		select {
		case <-reloads:
			log.Print("reading the configuration again")
		case <-draining.Done():
			// The supervisor ends us when its grace period is over.
			if err := server.Shutdown(context.Background()); err != nil {
				log.Print(err)
			}
			return
		case err := <-ended:
			log.Fatal(err)
		}
	}
}

func ExampleStatus() {
	// Without a supervisor nobody listens, and that is no error.
	fmt.Println(self.Status("warming caches: 80 %"), self.ID(), self.Workers())
	// Output: <nil> 0 1
}

// The watchdog is worth as much as the question that it asks.
func ExampleWatchdog() {
	var handled, before atomic.Uint64 // the program's own work, counted where it is done
	works := func() bool { return before.Swap(handled.Load()) != handled.Load() || idle() }

	ctx, cancel := context.WithCancel(context.Background())
	var beats sync.WaitGroup
	beats.Go(func() { self.Watchdog(ctx, works) })
	// ... until the program ends
	cancel()
	beats.Wait()
}

func idle() bool { return true }

// Programs that do not speak HTTP count by themselves.
func ExampleRequests() {
	jobs := uint64(1000)
	fmt.Println(self.Requests(jobs))
	// Output: <nil>
}
