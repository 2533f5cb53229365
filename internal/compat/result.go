package compat

// Result is what was seen of a server.
type Result struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	ChecksPID bool   `json:"checks_listen_pid"` // it does not serve the socket when LISTEN_PID is another's
	Notifies  bool   `json:"notifies"`          // READY=1 came
	Signal    string `json:"stop_signal"`
	Exit      string `json:"exit"`        // after the stop signal
	Late      int    `json:"killed_late"` // workers that had not left at the end of their grace
	Reload    Reload `json:"reload"`
	Rollouts  Count  `json:"rollouts"`
	Kills     Kills  `json:"kills"`
}

// Count is what clients met while something was done so many times.
type Count struct {
	Times    int `json:"times"`
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	Closed   int `json:"closed"` // on kept connections, sent while the server closed them: see loadgen.Reused
}

// Reload is what brood reload comes to.
type Reload struct {
	Signal string `json:"signal"` // that was relayed; empty where the workers are replaced instead
	Died   int    `json:"died"`   // workers that ended by it
	Count
}

// Kills is what SIGKILL cost.
type Kills struct {
	Count
	Held int `json:"held"` // of the failed: accepted by a process of the worker when it was killed
}

// Lost is what failed although no process of a killed worker had it then.
func (k Kills) Lost() int { return k.Failed - k.Held }

// Own is what was seen of a stranger.
type Own struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Took     bool   `json:"took"`     // with a socket to inherit it answered on that
	Answered int    `json:"answered"` // workers of two that answered on their ports
	Exit     string `json:"exit"`
}
