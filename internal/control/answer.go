package control

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// answerTime is how long a client may take to read an answer that is no stream.
const answerTime = 10 * time.Second

// Failure is the body of every answer that is no success, whatever was asked for.
type Failure struct {
	Error     string   `json:"error"`
	Code      Code     `json:"code"`
	Hint      string   `json:"hint,omitempty"`
	Lines     []string `json:"last_lines,omitempty"` // of the worker that is to blame
	Text      string   `json:"text,omitempty"`       // what was done all the same
	Accepted  bool     `json:"accepted,omitempty"`   // it goes on
	Operation string   `json:"operation,omitempty"`
}

// fail answers with a status that is no success.
func fail(w http.ResponseWriter, status int, f Failure) {
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, status, f)
}

// refuse is fail for what has nothing to say but the reason.
func refuse(w http.ResponseWriter, status int, code Code, text string) {
	fail(w, status, Failure{Error: text, Code: code})
}

// answer writes a value down, and sends it.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := encode(v)
	if err != nil {
		status = http.StatusInternalServerError
		text, _ = encode(Failure{Error: "cannot write the answer: " + err.Error(), Code: CodeInternal})
	}
	send(w, status, text)
}

// encode writes a value down for people and programs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

func send(w http.ResponseWriter, status int, text []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that left needs no answer
}
