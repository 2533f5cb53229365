package host_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/host"
	"github.com/broodctl/brood/supervisor/plan"
)

// The main of a program that looks after workers; it has called runtime.LockOSThread in a func init. The workers find
// their sockets as docs/protocol.md says.
func Example() {
	supervise := func() error {
		h, err := host.New(host.Options{Name: "shop", Control: host.ControlPath("shop")})
		if err != nil {
			return err
		}
		defer h.Close()
		http, err := listener.ParseFlag("http=:8080")
		if err != nil {
			return err
		}
		web, err := host.NewPool("web", []string{"/usr/bin/shop"}, http)
		if err != nil {
			return err
		}
		sup, err := h.Supervise(plan.Desired{Listeners: []listener.Config{http}, Pools: []plan.Pool{web}})
		if err != nil {
			return err
		}
		log := h.Log()
		log.Info().Str("state", sup.Published().State).Msg("before the first worker")
		return h.Run(context.Background())
	}
	if err := supervise(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// What nobody says is as in brood.toml; the rest are fields.
func ExampleNewPool() {
	web, err := host.NewPool("web", []string{"/usr/bin/shop", "--slot", "{{.Slot}}"})
	if err != nil {
		fmt.Println(err)
		return
	}
	web.Spec.Workers, web.Spec.Grace = 4, time.Minute
	fmt.Println(web.Spec.Workers, web.Spec.Grace, web.Spec.MaxSurge, web.Spec.ReadyTimeout, web.Signals.Stop)
	// Output: 4 1m0s 1 1m0s terminated
}

// Whoever has much to say does so in the words of brood.toml.
func ExampleParse() {
	shop, err := host.Parse("shop.toml", []byte(`
		[listen.http]
		address = ":8080"

		[pool.web]
		command = ["/usr/bin/shop"]
		workers = 4
		listen = ["http"]
		readiness = {http = "/readyz"}
		recycle = {max_memory = "400M"}
	`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(shop.Listener("http").Address, shop.Pool("web").Spec.Workers)
	// Output: :8080 4
}
