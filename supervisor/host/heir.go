package host

import (
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// newHeir takes over what the workers of the program before have.
func (h *Host) newHeir() supervisor.Heir {
	return supervisor.Heir{
		Process: func(handed worker.HandedProcess, a worker.Adopted) (supervisor.Process, error) {
			p, err := h.spawner.Adopt(handed, a)
			if err != nil {
				return nil, err
			}
			return p, nil
		},
		Notify: func(handed worker.HandedNotify, on func(handshake.Message, error)) (supervisor.Notify, error) {
			n, err := worker.AdoptNotify(h.poller, handed, func(msg handshake.Message, _ int, err error) { on(msg, err) })
			if err != nil {
				return nil, err
			}
			return n, nil
		},
		Output: func(handed supervisor.HandedOutput, of supervisor.Speaker, _ plan.Log) (supervisor.Output, error) {
			s, err := h.output.Adopt(handed.Handle, logs.Worker{Pool: of.Pool, Slot: of.Slot, ID: of.WorkerID})
			if err != nil {
				return nil, err
			}
			return output{s}, nil
		},
		Tmp:     h.tmp.Adopt,
		Program: worker.AdoptProgram,
		Deadman: h.adoptDeadman,
	}
}

// output is a logs.Stream as the supervisor knows it.
type output struct{ *logs.Stream }

// Hand is its number.
func (o output) Hand() *supervisor.HandedOutput { return &supervisor.HandedOutput{Handle: o.Handle()} }
