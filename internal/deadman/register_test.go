package deadman

import (
	"slices"
	"testing"
	"time"
)

// tokens are those who have to be killed now.
func tokens(r *register) []uint64 {
	var all []uint64
	for _, w := range r.due() {
		all = append(all, w.token)
	}
	slices.Sort(all)
	return all
}

func (r *register) uses(token uint64, sessions ...int64) {
	m := Message{Token: token, PID: uint32(token)}
	copy(m.Sessions[:], sessions)
	r.watch(&m, -1, -1)
}

func TestRegister(t *testing.T) {
	r := newRegister()
	r.putOff(1, 10, 0)
	r.uses(1, 1)
	r.uses(2, 1, 2)
	r.uses(3, 3)
	if got := tokens(&r); !slices.Equal(got, []uint64{2, 3}) {
		t.Errorf("without a deadline: %v", got)
	}
	r.putOff(1, 20, 5)
	r.putOff(1, 15, 5) // late news
	if at, any := r.next(); at != 20 || !any {
		t.Errorf("next %v, %v", at, any)
	}
	if over := r.pass(19); over != nil {
		t.Errorf("over too early: %v", over)
	}
	r.putOff(4, 40, 19) // a session after the loss of the first, whose worker lives
	r.uses(4, 4)
	if over := r.pass(20); !slices.Equal(over, []int64{1}) {
		t.Errorf("over: %v", over)
	}
	if got := tokens(&r); !slices.Equal(got, []uint64{1}) {
		t.Errorf("at the deadline: %v", got)
	}
	if got := tokens(&r); got != nil {
		t.Errorf("twice: %v", got)
	}
	r.uses(5, 1)
	if got := tokens(&r); !slices.Equal(got, []uint64{5}) {
		t.Errorf("after the deadline: %v", got)
	}
	other := Message{Token: 5, PID: 50, Sessions: Sessions{1}}
	r.watch(&other, -1, -1)
	if got := tokens(&r); !slices.Equal(got, []uint64{5}) {
		t.Errorf("another worker with a token: %v", got)
	}
	for token := range uint64(6) {
		r.forget(token)
	}
	r.putOff(6, 60, 30)
	if len(r.sessions) != 1 || len(r.watched) != 0 {
		t.Errorf("kept: %v, %v", r.sessions, r.watched)
	}
	r.putOff(6, 25, 60)
	if !r.sessions[6].over {
		t.Error("a session that is over by now is not")
	}
	r.putOff(6, 90, 61)
	r.uses(7, 6)
	if got := tokens(&r); got != nil {
		t.Errorf("a session that was put off at last: %v", got)
	}
}

// Descriptors that are not needed any more are given back, each once.
func TestRegisterClosesDescriptors(t *testing.T) {
	r := newRegister()
	m := Message{Token: 1}
	if got := r.watch(&m, 10, -1); got != nil {
		t.Errorf("obsolete: %v", got)
	}
	if got := r.watch(&m, 11, 12); !slices.Equal(got, []int{10}) {
		t.Errorf("obsolete: %v", got)
	}
	if got := r.watch(&m, -1, -1); got != nil {
		t.Errorf("obsolete: %v", got)
	}
	if got := r.forget(1); !slices.Equal(got, []int{11, 12}) {
		t.Errorf("left: %v", got)
	}
	if got := r.forget(1); got != nil {
		t.Errorf("left again: %v", got)
	}
	if _, any := r.next(); any || r.pass(time.Hour) != nil {
		t.Error("a deadline of nothing")
	}
}
