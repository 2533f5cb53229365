package webui

import (
	"net/http"
	"strings"
)

// session tells the page what it can do, with the token that it has.
type session struct {
	rights func(token string) (string, error)
	off    string
	last   func() uint64
}

// sessionView is the answer.
type sessionView struct {
	Off    string `json:"off,omitempty"` // why there are no actions
	Rights string `json:"rights"`        // write, read, none
	Last   uint64 `json:"last_event"`
}

func (s *session) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := sessionView{Off: s.off, Rights: "none", Last: s.last()}
	token, sent := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if sent && s.rights != nil {
		rights, err := s.rights(token)
		if err != nil {
			refuse(w, http.StatusInternalServerError, "internal", "cannot read the tokens; the log of the supervisor says why")
			return
		}
		view.Rights = rights
	}
	writeJSON(w, http.StatusOK, view)
}
