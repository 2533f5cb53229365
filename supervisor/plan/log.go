package plan

// Log is what becomes of the output of a pool's workers.
type Log struct {
	Mode string // auto, prefix, tail, inherit
}
