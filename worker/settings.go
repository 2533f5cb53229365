package worker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/broodctl/brood/worker/shim"
)

// Settings are what a process gets beside its user, mask and limits. What is nil stays
// as the supervisor has it, and so does its own: nothing of this is done to it.
type Settings struct {
	Nice        *int        // setpriority(2): from -20, the most favoured, to 19
	IOPriority  *IOPriority // ioprio_set(2)
	OOMScoreAdj *int        // proc_pid_oom_score_adj(5): from -1000, never killed, to 1000
	// CPUs are sets of CPUs, by the kernel's numbers, that slots get in turn: see Of.
	CPUs [][]int
	// Capabilities are the only ones that remain, whoever the process is and whatever it
	// executes. A user other than root has them as ambient ones; see capabilities(7).
	Capabilities *Capabilities
	NoNewPrivs   bool // no program can give it rights: PR_SET_NO_NEW_PRIVS(2const)
}

// Of returns the settings of one slot: those with its own CPUs alone.
func (s Settings) Of(slot int) Settings {
	if n := len(s.CPUs); n > 0 {
		s.CPUs = s.CPUs[slot%n : slot%n+1]
	}
	return s
}

// areNone tells that nothing has to be done.
func (s *Settings) areNone() bool {
	return s.Nice == nil && s.IOPriority == nil && s.OOMScoreAdj == nil && len(s.CPUs) == 0 && s.Capabilities == nil && !s.NoNewPrivs
}

// orders is what the shim has to do.
func (s *Settings) orders() shim.Settings {
	o := shim.Settings{Nice: s.Nice, OOMScoreAdj: s.OOMScoreAdj, Capabilities: (*uint64)(s.Capabilities), NoNewPrivs: s.NoNewPrivs}
	if s.IOPriority != nil {
		o.IOPriority = new(s.IOPriority.number())
	}
	for _, set := range s.CPUs {
		for _, cpu := range set {
			if cpu < 0 {
				continue
			}
			for len(o.CPUs) <= cpu/64 {
				o.CPUs = append(o.CPUs, 0)
			}
			o.CPUs[cpu/64] |= 1 << (cpu % 64)
		}
	}
	return o
}

// refused says at which stage a setting was refused, and which one it was.
func (st *start) refused(status shim.Status) (Stage, string) {
	s := &st.set
	switch status.Stage { //nolint:exhaustive // the others are not of settings
	case shim.StageNice:
		return StageNice, fmt.Sprintf("set nice %d", *s.Nice)
	case shim.StageIOPriority:
		return StageIO, "set ioprio " + s.IOPriority.String()
	case shim.StageOOMScore:
		return StageOOM, fmt.Sprintf("set oom_score_adj %d", *s.OOMScoreAdj)
	case shim.StageCPUs:
		return StageCPUs, "set cpus " + listCPUs(s.CPUs)
	case shim.StageBound:
		return StageBound, "bound capabilities to " + s.Capabilities.String()
	case shim.StageCapability:
		return StageKeep, "keep capability " + Capabilities(1<<status.Resource).String()
	case shim.StageNoNewPrivs:
		return StageNoPrivs, "set no_new_privs"
	}
	at := slices.IndexFunc(st.limits, func(l Limit) bool { return l.Resource == status.Resource })
	if at < 0 {
		return StageLimit, "set " + limitName(status.Resource)
	}
	return StageLimit, "set " + st.limits[at].String()
}

// listCPUs writes sets of CPUs as the kernel does: "0-3,8".
func listCPUs(sets [][]int) string {
	all := slices.Concat(sets...)
	slices.Sort(all)
	all = slices.Compact(all)
	var parts []string
	for i := 0; i < len(all); {
		last := i
		for last+1 < len(all) && all[last+1] == all[last]+1 {
			last++
		}
		part := strconv.Itoa(all[i])
		if last > i {
			part += "-" + strconv.Itoa(all[last])
		}
		parts, i = append(parts, part), last+1
	}
	return strings.Join(parts, ",")
}

// IOClass is a class of the I/O scheduler, by the numbers of ioprio_set(2).
type IOClass uint8

// The classes.
const (
	IORealtime   IOClass = 1
	IOBestEffort IOClass = 2
	IOIdle       IOClass = 3
)

// IOPriority is a class of I/O, and in it a level from 0, which comes first, to 7. The
// class idle has no levels.
type IOPriority struct {
	Class IOClass
	Level int
}

// number is how the kernel knows it: IOPRIO_PRIO_VALUE of ioprio_set(2).
func (p IOPriority) number() int { return int(p.Class)<<13 | p.Level }

// String is "best-effort:4", "realtime:0" or "idle".
func (p IOPriority) String() string {
	switch p.Class {
	case IORealtime:
		return "realtime:" + strconv.Itoa(p.Level)
	case IOBestEffort:
		return "best-effort:" + strconv.Itoa(p.Level)
	case IOIdle:
	}
	return "idle"
}

// Capabilities are a set of them: bit n is the capability with that number.
type Capabilities uint64

// CapabilityNames are those of capabilities(7) without CAP_, by their numbers.
func CapabilityNames() []string {
	return strings.Fields("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE " +
		"NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE " +
		"SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE " +
		"AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF " +
		"CHECKPOINT_RESTORE")
}

// Names are those of CapabilityNames that are in the set.
func (c Capabilities) Names() []string {
	var names []string
	for n, name := range CapabilityNames() {
		if c&(1<<n) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String is their names, "none" if there are none.
func (c Capabilities) String() string {
	if c == 0 {
		return "none"
	}
	return strings.Join(c.Names(), ", ")
}
