package shim

import "syscall"

func init() {
	// os.Args is not there yet: package os is initialised later.
	if !isShim() {
		return
	}
	syscall.Exit(run())
}

// isShim looks at argv[0] alone: this runs at each start of the daemon too.
func isShim() bool {
	fd, err := syscall.Open("/proc/self/cmdline", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	var head [len(Name) + 1]byte
	n, _ := read(fd, head[:])
	_ = syscall.Close(fd)
	return n == len(head) && string(head[:]) == Name+"\x00"
}

// run executes the program; it returns only on failure, with the exit code.
func run() int {
	line, err := strings("/proc/self/cmdline")
	if err != nil {
		return exitNotExecutable // StageNone: there is no status descriptor to tell
	}
	o, path, argv, ok := parseOrders(line)
	if !ok {
		return exitNotExecutable
	}
	syscall.CloseOnExec(o.Status)
	env, err := strings("/proc/self/environ")
	if err != nil || len(env) < len(environ()) {
		return o.tell(Status{Stage: StagePrepare, Errno: errnoOf(err)})
	}
	env = env[len(environ()):]
	setPID(env, format(uint64(syscall.Getpid())))
	execute, err := o.execution(path, argv, env)
	if err != nil {
		return o.tell(Status{Stage: StagePrepare, Errno: errnoOf(err)})
	}
	if status, ok := o.perform(); !ok {
		return o.tell(status)
	}
	_, _ = syscall.Write(o.Status, []byte(StageExec.word()))
	return o.tell(Status{Errno: errnoOf(execute())})
}

// setPID fills in the variables that name the process they are meant for.
func setPID(env []string, pid string) {
	for i, v := range env {
		for _, name := range [...]string{"LISTEN_PID=", "WATCHDOG_PID="} {
			if len(v) >= len(name) && v[:len(name)] == name {
				env[i] = name + pid
			}
		}
	}
}

// tell writes why the program will never run, and returns the exit code. The word
// of StageExec is written before.
func (o Orders) tell(s Status) int {
	text := s.Stage.word() + " " + format(uint64(s.Errno))
	if s.Stage.hasResource() {
		text += " " + format(uint64(s.Resource))
	}
	_, _ = syscall.Write(o.Status, []byte(text))
	if s.Errno == syscall.ENOENT {
		return exitNotFound
	}
	return exitNotExecutable
}

func errnoOf(err error) syscall.Errno {
	if errno, ok := err.(syscall.Errno); ok {
		return errno
	}
	return syscall.EINVAL
}

// strings reads a file of strings that each end with NUL.
func strings(name string) ([]string, error) {
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	buf := make([]byte, 0, 16<<10)
	for {
		n, err := read(fd, buf[len(buf):cap(buf)])
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return split(string(buf)), nil
		}
		buf = buf[:len(buf)+n]
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, 4*cap(buf)), buf...)
		}
	}
}

func split(text string) []string {
	list := make([]string, 0, 64)
	begin := 0
	for i := range len(text) {
		if text[i] == 0 {
			list = append(list, text[begin:i])
			begin = i + 1
		}
	}
	return list
}

// read is read(2), begun again when a signal came in between.
func read(fd int, buf []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, buf)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
