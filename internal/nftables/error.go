package nftables

import "fmt"

// Error is a listener that no rule can lead to.
type Error struct {
	Listener string // its name; "" if it is about all of them
	Problem  string
	hint     string
}

func (e *Error) Error() string {
	if e.Listener == "" {
		return "cannot write rules: " + e.Problem
	}
	return fmt.Sprintf("cannot write rules for listener %s: %s", e.Listener, e.Problem)
}

// Hint says what the user can do.
func (e *Error) Hint() string { return e.hint }

func errNone() error {
	return &Error{
		Problem: "no listener has a public port",
		hint:    `say which port clients use, as in: [listen.http] address = ":8080", public = 80`,
	}
}

func errNeedless() error {
	return &Error{
		Problem: "every public port is that of its listener, or opened by systemd",
		hint:    "no rules are needed; brood units writes the sockets that systemd opens",
	}
}

func errUnix(name string) error {
	return &Error{Listener: name, Problem: "a unix socket has no port", hint: "take its public away, or listen on a TCP address"}
}

func errAnyPort(name string) error {
	return &Error{Listener: name, Problem: "the kernel chooses its port, another one at each start", hint: "give it a port, as in :8080"}
}

func errLoopback(name, host string) error {
	return &Error{
		Listener: name,
		Problem:  fmt.Sprintf("it listens on %s, where the kernel lets no packet of another machine go", host),
		hint:     "listen on all addresses (:PORT) or on one that other machines reach",
	}
}

func errZone(name, host string) error {
	return &Error{
		Listener: name, Problem: host + " is an address of one link only",
		hint: "listen on all addresses (:PORT) or on one without a zone",
	}
}

func errTwice(first, second string, public int) error {
	return &Error{
		Listener: second, Problem: fmt.Sprintf("listener %s has the public port %d already", first, public),
		hint: "give one of them another public port, or an address of its own",
	}
}

func errPorts(name string, last int) error {
	return &Error{
		Listener: name, Problem: fmt.Sprintf("its last slot would have the port %d", last),
		hint: "begin at a lower port, or run fewer workers",
	}
}

func errTable(table string) error {
	return &Error{
		Problem: fmt.Sprintf("no table can be called %q", table),
		hint:    "use up to 200 letters, digits, and - _ . with a letter first",
	}
}
