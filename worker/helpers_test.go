package worker_test

func helpers() map[string]func(args []string) int {
	return map[string]func(args []string) int{}
}
