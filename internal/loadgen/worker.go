package loadgen

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// WorkerHeader is the response header by which a server says who answered.
const WorkerHeader = "X-Worker"

// Worker is who answered. A field the response did not tell is -1.
type Worker struct {
	Slot       int `json:"slot"`
	ID         int `json:"worker_id"`
	PID        int `json:"pid"`
	Generation int `json:"generation"`
}

// nobody is a response that does not say who wrote it.
var nobody = Worker{Slot: -1, ID: -1, PID: -1, Generation: -1}

// String gives the header's value: "slot=0 id=7 pid=4711 generation=1".
func (w Worker) String() string {
	return fmt.Sprintf("slot=%d id=%d pid=%d generation=%d", w.Slot, w.ID, w.PID, w.Generation)
}

// ParseWorker reads the value of the header. Fields may be missing and may come
// in any order; what it does not know it skips.
func ParseWorker(value string) Worker {
	w := nobody
	for field := range strings.FieldsSeq(value) {
		key, number, found := strings.Cut(field, "=")
		n, err := strconv.Atoi(number)
		if !found || err != nil {
			continue
		}
		switch key {
		case "slot":
			w.Slot = n
		case "id":
			w.ID = n
		case "pid":
			w.PID = n
		case "generation":
			w.Generation = n
		}
	}
	return w
}

// who finds the worker in a response: the header, else a JSON object in the body.
func who(header string, body []byte) Worker {
	if header != "" {
		return ParseWorker(header)
	}
	w := nobody
	if len(body) > 0 && body[0] == '{' {
		if err := json.Unmarshal(body, &w); err != nil {
			return nobody
		}
	}
	return w
}
