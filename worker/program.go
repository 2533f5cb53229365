package worker

// Program is the executable file of a command, kept open so that the same one can
// be started again after another was put in its place. Make one with Keep.
type Program struct {
	path string // as it was found
}
