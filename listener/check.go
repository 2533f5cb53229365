package listener

import (
	"errors"
	"fmt"
	"strings"
)

// check refuses a description that no Set has, whatever the descriptors are.
func (h *Handed) check() error {
	for i := range h.Listeners {
		if err := h.Listeners[i].check(); err != nil {
			return fmt.Errorf("listener %s: %w", h.Listeners[i].Config.Name, err)
		}
	}
	for i := range h.Spare {
		if h.Spare[i].Passed == nil {
			return fmt.Errorf("descriptor %d is spare, and nobody passed it", h.Spare[i].FD)
		}
	}
	seen := map[int]bool{}
	for _, d := range h.descriptors() {
		if d.FD < 0 || seen[d.FD] {
			return fmt.Errorf("descriptor %d is not one of its own", d.FD)
		}
		seen[d.FD] = true
	}
	return nil
}

func (h *HandedListener) check() error {
	if err := h.Config.Validate(); err != nil {
		return err
	}
	if err := h.checkAddress(); err != nil {
		return err
	}
	if err := h.Config.checkSlots(h.Mode, h.Address.Network == networkUDP, h.Slots); err != nil {
		return err
	}
	for _, slot := range h.Known {
		if slot < 0 || slot >= maxSlots {
			return fmt.Errorf("slot %d cannot be", slot)
		}
	}
	if err := h.checkGroup(); err != nil {
		return err
	}
	if h.Mode == Sharded {
		return h.checkPlaces()
	}
	switch {
	case len(h.Places) > 0:
		return errors.New("it has places, and is not sharded")
	case h.Mode == Shared && h.Single == nil:
		return errors.New("it has no socket")
	case h.Mode == PerSlot && len(h.sockets()) > 0:
		return errors.New("it has sockets, and its workers bind theirs")
	}
	return nil
}

func (h *HandedListener) checkAddress() error {
	switch {
	case h.Mode == Auto || int(h.Mode) >= len(modeNames) || int(h.Tried) >= len(modeNames):
		return fmt.Errorf("mode %s is none to have", h.Mode)
	case h.Address.isIP():
		if h.Address.Port < 0 || h.Address.Port > 65535 || h.Address.Family != 0 && h.Address.Family != 6 && h.Address.Family != 4 {
			return fmt.Errorf("address %s cannot be", h.Address)
		}
		if _, err := endpointOf(h.Address); err != nil {
			return fmt.Errorf("address %s: %w", h.Address, err)
		}
	case h.Address.Network != networkUnix || h.Address.Path == "" || h.Mode != Shared:
		return fmt.Errorf("address %s cannot be", h.Address)
	}
	if h.File == nil {
		return nil
	}
	if h.Address.Network != networkUnix || h.File.Path != h.Address.Path || strings.ContainsRune(h.File.Path, 0) {
		return fmt.Errorf("its file is not that of %s", h.Address)
	}
	return nil
}

// checkGroup demands that the indexes are those of one group: each once, from 0 on.
func (h *HandedListener) checkGroup() error {
	taken := map[int]bool{}
	most := outside
	for _, s := range h.sockets() {
		if s.Backlog < 0 {
			return fmt.Errorf("descriptor %d has a backlog of %d", s.FD, s.Backlog)
		}
		for _, cpu := range s.CPUs {
			if cpu < 0 || cpu > maxCPU {
				return fmt.Errorf("CPU %d cannot be", cpu)
			}
		}
		if s.Index == outside {
			continue
		}
		if s.Index < 0 || taken[s.Index] {
			return fmt.Errorf("index %d of descriptor %d is not its own", s.Index, s.FD)
		}
		taken[s.Index] = true
		most = max(most, s.Index)
	}
	if most+1 != len(taken) {
		return fmt.Errorf("the group has %d sockets, and one has index %d", len(taken), most)
	}
	return nil
}

// checkPlaces demands that each slot has both sides, and that those steered to are among them.
func (h *HandedListener) checkPlaces() error {
	taken := map[Member]bool{}
	for i := range h.Places {
		at := h.Places[i].Member
		if at.Slot < 0 || at.Slot >= h.Slots || at.Side >= sides || taken[at] {
			return fmt.Errorf("slot %d side %s is not a place of its own", at.Slot, at.Side)
		}
		taken[at] = true
	}
	if len(taken) != sides*h.Slots || h.Single != nil {
		return fmt.Errorf("%d slots have %d sockets", h.Slots, len(taken))
	}
	if len(h.Members) == 0 {
		return errors.New("nobody is steered to")
	}
	for _, m := range h.Members {
		if !taken[m] {
			return fmt.Errorf("slot %d side %s is steered to, and is not there", m.Slot, m.Side)
		}
	}
	return nil
}
