package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// identified is who sends a request, and what it may do.
type identified struct {
	caller
	may  permission
	from string // the address, of one that came over TCP
	err  error  // why it is not known
}

// String is what refusals call it.
func (who identified) String() string {
	if who.from != "" {
		return "this token"
	}
	return fmt.Sprintf("user %d", who.uid)
}

var errNoCaller = errors.New("the connection tells nothing about it")

type callerKey struct{}

// identify is for http.Server.ConnContext.
func identify(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(*countedConn); ok {
		return context.WithValue(ctx, callerKey{}, identified{caller: c.who, err: c.err})
	}
	who, err := callerOf(conn)
	return context.WithValue(ctx, callerKey{}, identified{caller: who, err: err})
}

// callerIn is who sent a request.
func callerIn(ctx context.Context) identified {
	who, ok := ctx.Value(callerKey{}).(identified)
	if !ok {
		return identified{err: errNoCaller, may: mayNothing} // and not root, whose number is 0
	}
	return who
}

// guard lets nobody through who may not use the socket at path, and says to what is behind it what the others may do.
func guard(path string, access Access, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := callerIn(r.Context())
		if who.err != nil {
			refuse(w, http.StatusForbidden, CodeForbidden, fmt.Sprintf("cannot find out who asks: %v", who.err))
			return
		}
		if who.may = who.caller.may(path, access); who.may == mayNothing {
			refuse(w, http.StatusForbidden, CodeForbidden, fmt.Sprintf("user %d may not use this supervisor", who.uid))
			return
		}
		next.ServeHTTP(w, withCaller(r, who))
	})
}

// guardTCP lets nobody through who has no token.
func guardTCP(tokens Tokens, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := identified{caller: caller{uid: nobody}, may: tokens.admit(w, r), from: r.RemoteAddr}
		if who.may != mayNothing {
			known(r)
			next.ServeHTTP(w, withCaller(r, who))
		}
	})
}

// admit says what the token of a request allows. To one that allows nothing it has answered.
func (t Tokens) admit(w http.ResponseWriter, r *http.Request) permission {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	may := mayNothing
	if ok {
		var err error
		if may, err = t.may(token); err != nil {
			refuse(w, http.StatusInternalServerError, CodeInternal, "cannot read the tokens; the log of the supervisor says why")
			return mayNothing
		}
	}
	if may == mayNothing {
		refuseStranger(w)
	}
	return may
}

func refuseStranger(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="brood"`)
	refuse(w, http.StatusUnauthorized, CodeUnauthorized, "send a token that is known, as Authorization: Bearer TOKEN")
}

func withCaller(r *http.Request, who identified) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, who))
}

// sensible refuses what no request of the API has, before anything is done with it.
func sensible(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // of the answer before, on the same connection
		if r.Method != http.MethodPost && r.ContentLength != 0 {
			w.Header().Set("Connection", "close")
			refuse(w, http.StatusBadRequest, CodeBadRequest, r.Method+" takes no body")
			return
		}
		next.ServeHTTP(w, r)
	})
}
