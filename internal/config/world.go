package config

// World is what a configuration depends on beside its own text.
type World struct {
	Getenv   func(string) string          // the supervisor's environment
	ReadFile func(string) ([]byte, error) // as os.ReadFile
	CPUs     int                          // that the supervisor may use
}
