package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
	"github.com/broodctl/brood/worker/handshake"
)

const (
	servers = 4
	clients = 32 // of loads with a connection per request
	// Kept connections lie on the servers as chance spread them, which moves the
	// rate by six per cent. Many connections and many draws show a difference of two.
	keepers  = 128
	loadTime = time.Second
	draws    = 8
)

// measureRequests: the same four servers on the same kind of sockets, under brood
// and started by hand.
func measureRequests(b *bench) ([]row, error) {
	hand, err := b.startByHand()
	if err != nil {
		return nil, err
	}
	defer hand.stop()
	p, address, err := b.keepServers()
	if err != nil {
		return nil, err
	}
	before, err := activity(p.cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(err, stopQuietly(p))
	}
	var rows []row
	for _, reuse := range []struct {
		loadgen.Reuse
		name string
	}{{loadgen.KeepAlive, "kept connections"}, {loadgen.PerRequest, "connection per request"}} {
		var floor, brood, ratios []float64
		for draw := range draws * b.rounds {
			rates, err := ratePair(hand.address, address, draw%2, reuse.Reuse)
			if err != nil {
				return nil, errors.Join(err, stopQuietly(p))
			}
			floor, brood = append(floor, rates[0]), append(brood, rates[1])
			ratios = append(ratios, rates[1]/rates[0])
		}
		ratio := median(ratios)
		rows = append(rows, row{
			figure: "requests per second, " + reuse.name, floor: strconv.Itoa(int(median(floor))), brood: strconv.Itoa(int(median(brood))),
			ratio: decimal(ratio), target: "≥ 0.98×", met: judge(ratio >= 0.98),
		})
	}
	after, err := activity(p.cmd.Process.Pid)
	rows = append(rows, row{
		figure: "CPU of the supervisor meanwhile", floor: "–",
		brood: strconv.Itoa((after.ticks-before.ticks)*10) + " ms", ratio: "–",
	})
	return rows, errors.Join(err, stopQuietly(p))
}

// ratePair measures both one right after the other, beginning with the first or
// the second: taking turns keeps a machine that slows down from favouring either.
func ratePair(hand, brood string, first int, reuse loadgen.Reuse) (rates [2]float64, err error) {
	addresses := [2]string{hand, brood}
	for _, i := range []int{first, 1 - first} {
		if rates[i], err = requestRate(addresses[i], reuse); err != nil {
			return rates, err
		}
	}
	return rates, nil
}

func requestRate(address string, reuse loadgen.Reuse) (float64, error) {
	n := clients
	if reuse == loadgen.KeepAlive {
		n = keepers
	}
	result, err := loadgen.Run(context.Background(), loadgen.Config{
		Address: address, Reuse: reuse, Clients: n, Duration: loadTime,
	})
	if err == nil && result.Failed() != 0 {
		err = fmt.Errorf("cannot load %s: %d requests failed\n%s", address, result.Failed(), &result)
	}
	return result.Rate(), err
}

// keepServers starts brood with four guests and waits until they are ready.
func (b *bench) keepServers(flags ...string) (*keeper, string, error) {
	return b.keepServersOn("", flags...)
}

// keepServersOn is keepServers with options of the listener, as in ",mode=shared".
func (b *bench) keepServersOn(options string, flags ...string) (*keeper, string, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	// Every worker here is killed a dozen times on purpose: the pause between the
	// restarts of a failing one is not what is measured.
	k := directKind("-l", "http="+address+options, "--ready", "notify", "--backoff", "10ms", "--max-backoff", "10ms")
	words := append([]string{b.work, testguest.Word, "http", "-notify"}, flags...)
	p, err := b.keep(k, servers, nil, hear, words...)
	if err != nil {
		return nil, "", err
	}
	if err := p.awaitReady(); err != nil {
		return nil, "", errors.Join(err, stopQuietly(p))
	}
	return p, address, nil
}

// stopQuietly ends a supervisor after another error.
func stopQuietly(p *keeper) error {
	_, err := p.stop()
	return err
}

// freeAddress is one that nobody has now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("cannot find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// byHand is four servers without a supervisor, each with a socket of its own in
// one SO_REUSEPORT group.
type byHand struct {
	address string
	workers []*exec.Cmd
}

func (b *bench) startByHand() (*byHand, error) {
	h := &byHand{address: "127.0.0.1:0"}
	config := net.ListenConfig{Control: reusePort}
	config.SetMultipathTCP(false) // brood's are plain TCP
	for range servers {
		l, err := config.Listen(context.Background(), "tcp", h.address)
		if err != nil {
			h.stop()
			return nil, fmt.Errorf("cannot listen: %w", err)
		}
		h.address = l.Addr().String()
		err = h.start(b.work, l.(*net.TCPListener))
		_ = l.Close() // the worker has it
		if err != nil {
			h.stop()
			return nil, err
		}
	}
	return h, nil
}

func (h *byHand) start(program string, l *net.TCPListener) error {
	file, err := l.File()
	if err != nil {
		return fmt.Errorf("cannot pass socket: %w", err)
	}
	defer file.Close()
	cmd := exec.Command(program, testguest.Word, "http")
	cmd.Env = append(os.Environ(), handshake.EnvFDs+`={"http":"/dev/fd/3"}`)
	cmd.ExtraFiles = []*os.File{file}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start server: %w", err)
	}
	h.workers = append(h.workers, cmd)
	return nil
}

func (h *byHand) stop() {
	for _, cmd := range h.workers {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}
