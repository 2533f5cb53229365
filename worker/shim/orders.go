package shim

import "syscall"

// Orders are what a shim does before it executes the program, in the order of the
// fields, and where it says how that went. Only Status is a must.
type Orders struct {
	Status int     // descriptor of the status pipe
	Umask  *uint32 // umask(2)
	Limits []Limit // setrlimit(2)
	Settings
	As    *Identity      // setgroups(2), setresgid(2), setresuid(2)
	Death syscall.Signal // with As: the parent-death signal, which a change of the user clears
	Dir   string         // with As: a directory that only the user may be able to enter
	// Program is a descriptor to execute instead of the path, by the system call
	// with the number Execveat: the frozen package syscall does not know it, the
	// parent does. 0 is none.
	Program, Execveat int
	Watch             Watch
}

// Limit is a limit of resources.
type Limit struct {
	Resource   int
	Soft, Hard uint64
}

// Identity is a user with its groups.
type Identity struct {
	UID, GID uint32
	Groups   []uint32
}

// Argv is the command line of a shim with these orders:
//
//	Name ORDERS [DIR] PATH ARG...
//
// ORDERS are the number of the status descriptor and, separated by commas, what
// there is of: u with the mask; l with resource:soft:hard; those of Settings; i with
// uid:gid:groups; k with a signal; x with descriptor:number; m with socket:token:session:session:until; d
// if there is a DIR. All numbers are decimal.
func (o Orders) Argv(path string, argv []string) []string {
	text := []byte(format(uint64(o.Status)))
	add := func(letter byte, numbers ...uint64) {
		text = append(text, ',', letter)
		for i, n := range numbers {
			if i > 0 {
				text = append(text, ':')
			}
			text = append(text, format(n)...)
		}
	}
	if o.Umask != nil {
		add('u', uint64(*o.Umask))
	}
	for _, l := range o.Limits {
		add('l', uint64(l.Resource), l.Soft, l.Hard)
	}
	o.Settings.add(add)
	if o.As != nil {
		numbers := []uint64{uint64(o.As.UID), uint64(o.As.GID)}
		for _, gid := range o.As.Groups {
			numbers = append(numbers, uint64(gid))
		}
		add('i', numbers...)
	}
	if o.Death != 0 {
		add('k', uint64(o.Death))
	}
	if o.Program != 0 {
		add('x', uint64(o.Program), uint64(o.Execveat))
	}
	if w := o.Watch; w.Socket != 0 {
		add('m', uint64(w.Socket), w.Token, w.Sessions[0], w.Sessions[1], w.Until)
	}
	if o.Dir != "" {
		add('d')
	}
	line := append(make([]string, 0, 4+len(argv)), Name, string(text))
	if o.Dir != "" {
		line = append(line, o.Dir)
	}
	return append(append(line, path), argv...)
}

// parseOrders reads what Argv made.
func parseOrders(line []string) (o Orders, path string, argv []string, ok bool) {
	if len(line) < 4 {
		return o, "", nil, false
	}
	text, line := line[1], line[2:]
	status, text, ok := number(text)
	o.Status = int(status)
	for ok && text != "" {
		if len(text) < 2 || text[0] != ',' {
			return o, "", nil, false
		}
		letter := text[1]
		text = text[2:]
		if letter == 'd' {
			o.Dir, line = line[0], line[1:]
			continue
		}
		var numbers []uint64
		if numbers, text, ok = list(text); ok {
			ok = o.set(letter, numbers)
		}
	}
	if !ok || len(line) < 2 {
		return o, "", nil, false
	}
	return o, line[0], line[1:], true
}

// set takes one order; false if it is none.
func (o *Orders) set(letter byte, numbers []uint64) bool {
	switch {
	case letter == 'u' && len(numbers) == 1:
		mask := uint32(numbers[0])
		o.Umask = &mask
	case letter == 'l' && len(numbers) == 3:
		o.Limits = append(o.Limits, Limit{Resource: int(numbers[0]), Soft: numbers[1], Hard: numbers[2]})
	case letter == 'i' && len(numbers) >= 2:
		o.As = &Identity{UID: uint32(numbers[0]), GID: uint32(numbers[1])}
		for _, gid := range numbers[2:] {
			o.As.Groups = append(o.As.Groups, uint32(gid))
		}
	case letter == 'k' && len(numbers) == 1:
		o.Death = syscall.Signal(numbers[0])
	case letter == 'x' && len(numbers) == 2:
		o.Program, o.Execveat = int(numbers[0]), int(numbers[1])
	case letter == 'm' && len(numbers) == 5:
		o.Watch = Watch{Socket: int(numbers[0]), Token: numbers[1], Sessions: [2]uint64{numbers[2], numbers[3]}, Until: numbers[4]}
	default:
		return o.Settings.set(letter, numbers)
	}
	return true
}

// list reads numbers that are separated by colons.
func list(text string) (numbers []uint64, rest string, ok bool) {
	for {
		var n uint64
		if n, text, ok = number(text); !ok {
			return nil, text, false
		}
		numbers = append(numbers, n)
		if text == "" || text[0] != ':' {
			return numbers, text, true
		}
		text = text[1:]
	}
}
