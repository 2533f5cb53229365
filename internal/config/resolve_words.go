package config

import (
	"syscall"

	"github.com/broodctl/brood/worker"
)

const defaultDumpSignal = "USR2"

func (r *resolver) signals(table string, t PoolTable) worker.Signals {
	read := func(key, word string) syscall.Signal {
		sig, err := ParseSignal(word)
		if err != nil {
			r.unreadable(key, word, err)
		}
		return sig
	}
	return worker.Signals{
		Stop:      read(table+".stop.signal", t.Stop.Signal),
		Reload:    read(table+".reload_signal", t.ReloadSignal),
		Dump:      read(table+".dump_signal", or(t.DumpSignal, defaultDumpSignal)),
		DumpNamed: t.DumpSignal != "",
	}
}

func (r *resolver) cleanExits(table string, exits []ExitWord) worker.ExitSet {
	var set worker.ExitSet
	for i, word := range exits {
		code, sig, err := word.Of()
		switch {
		case err != nil:
			r.unreadable(item(table+".restart.clean_exits", i), string(word), err)
		case sig != 0:
			set.Signals = append(set.Signals, sig)
		default:
			set.Codes = append(set.Codes, code)
		}
	}
	return set
}
