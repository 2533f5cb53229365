package control

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
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
func fail(w http.ResponseWriter, status int, f Failure) { answer(w, status, f) }

// refuse is fail for what has nothing to say but the reason.
func refuse(w http.ResponseWriter, status int, code Code, text string) {
	fail(w, status, Failure{Error: text, Code: code})
}

// answer writes a value down.
func answer(w http.ResponseWriter, status int, v any) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		status = http.StatusInternalServerError
		b.Reset()
		_ = enc.Encode(Failure{Error: "cannot write the answer: " + err.Error(), Code: CodeInternal})
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, b.String()) // a client that left needs no answer
}
