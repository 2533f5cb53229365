package supervisor

import (
	"reflect"
	"testing"
)

// unhanded says of each field that no other program is told of why it can do without. What is not here is handed on, and
// whoever adds a field has to say which it is.
func unhanded() map[reflect.Type]map[string]string {
	return map[reflect.Type]map[string]string{
		reflect.TypeFor[Supervisor](): {
			"cfg": "the next program has its own", "log": "its own", "mail": "it is empty: what was in it has been dealt with",
			"systemd": "begins anew, behind RELOADING=1", "observer": "watches are begun anew", "tenure": "the engine of the next program tells it the deadline",
			"transaction": "there is none: it is waited for", "reloads": "the same", "resumed": "of the one before", "signals": "they wait in the channel, which is passed on",
			"deaf": "of this program", "looking": "nobody does", "patience": "asked for anew", "snapshot": "made anew", "document": "it is in desired", "changed": "made anew",
			"pending": "of this program", "couriers": "they are back", "probing": "they are back", "inquiries": "they are back", "quit": "of this program", "ctx": "the same", "cancel": "the same",
			"leaving": "nobody is upgraded who ends", "forGood": "the same", "terms": "the same", "code": "the same", "forced": "the same", "told": "the same", "calmGC": "of this program", "press": "of this program", "answers": "they are given before", "unread": "of the end",
		},
		reflect.TypeFor[pool](): {
			"sup": "of the next program", "log": "its own", "coming": "nobody asks at that moment", "checking": "it is begun anew", "chores": "it is nobody's turn: they are waited for",
			"errands": "they are waited for, or begun anew", "serial": "counts the timers of one program", "next": "all has been dealt with", "relays": "of one request",
			"dead": "found again among the workers", "steerTo": "it is done", "unfit": "found again among the workers", "rounds": "begun anew", "scaledFor": "of one step",
			"repairedAt": "sockets may be put right a little earlier", "shown": "made anew",
		},
		reflect.TypeFor[record](): {
			"edition": "that of its generation", "watch": "counts the watches of one program", "cancels": "the same", "lanes": "nobody asks at that moment",
			"hang": "evidence is gathered anew", "watchdog": "begun anew", "beats": "the same", "courier": "it is back", "late": "it has a process, or nobody has forked it",
		},
		reflect.TypeFor[guard](): {
			"serial": "counts the deadmen of one program", "ended": "of this program", "why": "another one is tried at once", "past": "it ends when no worker is left that it watches",
		},
		reflect.TypeFor[mortal]():    {"lent": "nobody is being started at that moment"},
		reflect.TypeFor[slotBook]():  {},
		reflect.TypeFor[reloading](): {},
	}
}

// handedAs are the fields that are handed on under another name, or as parts.
func handedAs() map[reflect.Type]map[string]bool {
	set := func(names ...string) map[string]bool {
		m := map[string]bool{}
		for _, name := range names {
			m[name] = true
		}
		return m
	}
	return map[reflect.Type]map[string]bool{
		reflect.TypeFor[Supervisor](): set("desired", "pools", "house", "begun", "seed", "upgrade", "past", "config", "feed", "gauge", "wasReady", "guard"),
		reflect.TypeFor[pool](): set("name", "st", "editions", "station", "scaling", "claims", "member", "confession", "first", "settled", "unmet", "workers", "slots", "timers", "waiting", "restarts",
			"last", "reloading", "reloads", "code", "repairs", "deaths"),
		reflect.TypeFor[record](): set("ref", "id", "generation", "made", "proc", "born", "output", "notify", "gate", "notified", "health", "service", "tmp", "group", "lost", "leaves", "garbled", "reload",
			"status", "readyAt", "probe", "limit", "asked", "why", "killed", "fault", "relayed", "purpose", "unborn", "over", "oomKilled", "err", "exit", "ended", "mortal"),
		reflect.TypeFor[guard]():     set("way", "proc", "token", "begun"),
		reflect.TypeFor[mortal]():    set("token", "sessions"),
		reflect.TypeFor[slotBook]():  set("restarts", "lastExit", "requests"),
		reflect.TypeFor[reloading](): set("begun", "ended", "told", "failed"),
	}
}

func TestEveryFieldIsHandedOrNot(t *testing.T) {
	for of, reasons := range unhanded() {
		handed := handedAs()[of]
		for field := range of.Fields() {
			name := field.Name
			switch {
			case handed[name] && reasons[name] != "":
				t.Errorf("%s.%s is handed on, and is not", of, name)
			case !handed[name] && reasons[name] == "":
				t.Errorf("is %s.%s handed on to another program? If not, say why", of, name)
			}
			delete(handed, name)
			delete(reasons, name)
		}
		if len(handed)+len(reasons) > 0 {
			t.Errorf("%s has no %v, %v", of, handed, reasons)
		}
	}
}
