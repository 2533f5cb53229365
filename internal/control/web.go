package control

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/broodctl/brood/supervisor"
)

// Web serves the API on a listener of somebody else's, where whoever can connect may glance: at the status and at the events,
// and at nothing that workers wrote. The rest is for those who send a token; nil tokens are for nobody.
func (s *Server) Web(tokens *Tokens) http.Handler { return guardWeb(tokens, s.next) }

// guardWeb says to what is behind it what a token allows, or that there is none.
func guardWeb(tokens *Tokens, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := identified{caller: caller{uid: nobody}, may: mayGlance, from: addressOf(r)}
		if len(r.Header["Authorization"]) > 0 {
			if tokens == nil {
				refuse(w, http.StatusUnauthorized, CodeUnauthorized, "no token is known here: there is no token_file")
				return
			}
			if who.may = tokens.admit(w, r); who.may == mayNothing {
				return
			}
		}
		next.ServeHTTP(w, withCaller(r, who))
	})
}

// addressOf is the address that asks, in a word that is never empty: a client of a unix socket has none.
func addressOf(r *http.Request) string {
	return cmp.Or(strings.TrimPrefix(r.RemoteAddr, "@"), "unix")
}

// Rights are what a token allows, for who wants to know before he asks.
type Rights string

// The rights.
const (
	RightsWrite Rights = "write" // to ask for everything
	RightsRead  Rights = "read"  // to look, and change nothing
	RightsNone  Rights = "none"
)

// Rights reads the files, as a request would.
func (t Tokens) Rights(token string) (Rights, error) {
	may, err := t.may(token)
	switch {
	case err != nil:
		return RightsNone, err
	case may == mayWrite:
		return RightsWrite, nil
	case may == mayRead:
		return RightsRead, nil
	}
	return RightsNone, nil
}

// glanced leaves out what workers wrote.
func glanced(config supervisor.ConfigView) supervisor.ConfigView {
	if config.Reload != nil {
		quiet := *config.Reload
		quiet.Lines = nil
		config.Reload = &quiet
	}
	return config
}
