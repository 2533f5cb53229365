package supervisor

import "github.com/rs/zerolog"

// The keys of log fields. Messages are constant strings; what varies is in a field of one of these names.
const (
	keyPool       = "pool"
	keySlot       = "slot"
	keyWorkerID   = "worker_id"
	keyPID        = "pid"
	keyGeneration = "generation"
	keyCause      = "cause"
	keyExit       = "exit"
	keyAge        = "age_ms"
	keyLastLines  = "last_lines"
	keyNext       = "next"
	keyAfter      = "after_ms"
	keyHow        = "how"
	keySignal     = "signal"
	keyWhy        = "why"
	keyListener   = "listener"
	keyRepair     = "repaired"
	keyWorkers    = "workers"
	keyCode       = "code"
	keyTerms      = "terminations"
	keyFailures   = "failures"
	keyEvent      = "event"
	keyActions    = "actions"
	keyVersion    = "version"
	keyName       = "name"
	keyVerb       = "verb"
	keyUID        = "uid"
	keyProbe      = "probe"
	keyCommand    = "command"
	keyFile       = "file"
	keyChange     = "change"
	keyChanges    = "changes"
	keyReasons    = "reasons"
	keyTries      = "tries"
	keyKey        = "key"
	keyWas        = "was"
	keyIs         = "is"
	keyDetail     = "detail"
	keyLimit      = "limit"
	keyLimits     = "limits"
	keyMissing    = "missing"
	keyRequests   = "requests"
	keyMemory     = "memory_bytes"
	keyCount      = "count"
	keyFrom       = "from"
	keyTo         = "to"
	keyReason     = "reason"
	keyQueued     = "queued"
	keyCPU        = "cpu_millis"
	keyProgram    = "program"
	keyGap        = "gap_ms"
	keyPlace      = "place"
	keyNumber     = "number"
	keyFence      = "fence"
	keyFleet      = "fleet"
)

// lines adds the last words of somebody, if there are any.
func lines(e *zerolog.Event, last []string) *zerolog.Event {
	if len(last) == 0 {
		return e
	}
	return e.Strs(keyLastLines, last)
}

// LogFields is the order in which people want to read the fields of a line: who, why, what next.
func LogFields() []string {
	return []string{
		keyName, keyVersion, keyPool, keySlot, keyWorkerID, keyPID, keyGeneration,
		keyCause, keyDetail, keyExit, keyHow, keySignal, keyWhy, keyAge, keyLastLines, keyNext, keyAfter,
	}
}
