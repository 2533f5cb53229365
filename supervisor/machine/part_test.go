package machine

import (
	"testing"
	"time"
)

func TestParting(t *testing.T) {
	outlived := StopRequested{Outlived: true}
	t.Run("connections wait across, and who serves leaves after the settle time", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.step(outlived)
		p.is("settling settling")
		p.did(Steer{Members: []Place{{0, B}, {1, B}}})
		p.did(Adopt{Place{0, B}}) // what waits there is not relayed any more
		p.did(SetTimer{Timer{SettleTimer, Ref{0, A, 1}}, time.Second})
		p.late(outlived)
		p.fires(SettleTimer, 0, A)
		p.is("draining settling")
		p.did(Terminate{Ref{0, A, 1}, WhyStopping})
	})
	t.Run("the delay comes before", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, stopDelay))
		p.step(outlived)
		p.is("settling settling")
		p.didNot(Steer{})
		p.did(SetTimer{Timer{SettleTimer, Ref{0, A, 1}}, 3 * time.Second})
		p.fires(SettleTimer, 1, A)
		p.is("settling settling")
		p.did(Steer{Members: []Place{{0, B}, {1, B}}})
		p.did(SetTimer{Timer{SettleTimer, Ref{0, A, 1}}, time.Second})
		p.did(SetTimer{Timer{SettleTimer, Ref{1, A, 2}}, time.Second})
		p.fires(SettleTimer, 1, A)
		p.is("settling draining")
	})
	t.Run("the second termination cuts both short, and steers away all the same", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, stopDelay))
		p.step(outlived)
		p.step(TermReceived{})
		p.is("draining")
		p.did(Steer{Members: []Place{{0, B}}})
	})
	t.Run("it cuts the settle time short", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.step(outlived)
		p.step(TermReceived{})
		p.is("draining")
		p.didNot(Steer{})
	})
	t.Run("without a settle time they leave at once", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, noSettle))
		p.step(outlived)
		p.is("draining")
		p.did(Steer{Members: []Place{{0, B}}})
	})
	t.Run("nobody waits where somebody is", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.roll()
		p.ready(0, B)
		p.is("settling|ready2 ready")
		p.step(outlived)
		p.did(Steer{Members: []Place{{1, B}}})
	})
	t.Run("where all places are taken they serve to the end", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.roll()
		p.ready(0, B)
		p.step(outlived)
		p.is("draining|draining2")
		p.didNot(Steer{})
	})
	t.Run("who starts has nothing to settle", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.crash(0, A)
		p.step(outlived)
		p.is("draining settling")
	})
}
