package units

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/listener"
)

const backlog = 4096 // what brood takes by itself

// sockets writes the units of the listeners that systemd opens.
func (d *draft) sockets() []File {
	var files []File
	for i := range d.cfg.Listeners {
		l := &d.cfg.Listeners[i]
		switch {
		case l.Address.Network == networkSystemd && l.Public == 0:
			d.note("the socket %s of listener %s is left to you: the configuration does not say on what to listen. "+
				"name your unit in Sockets= of the service, or give the listener its address and take --sockets", l.Address.Name, l.Name)
		case l.Address.Network == networkSystemd:
			files = append(files, d.socket(l, l.Address.Name, listener.Address{Network: networkTCP, Port: l.Public}))
		case d.passed(l):
			files = append(files, d.socket(l, l.Name, l.Address))
		case d.opt.Sockets:
			d.note("listener %s has no socket unit: its workers bind by themselves, or its port is chosen at each start", l.Name)
		}
	}
	return files
}

// socket writes the unit of one listener. name is what brood knows the socket by.
func (d *draft) socket(l *config.Listener, name string, a listener.Address) File {
	sharded := a.Network != networkUnix && l.Mode != listener.Shared
	// Only root can add sockets to a group that root has begun: without root each slot's two come from systemd.
	template := sharded && a.Network == networkTCP && d.as.user != ""
	base := d.unitName("-" + Escape(l.Name))
	file := File{Name: base + ".socket"}
	if template {
		file.Name = base + "@.socket"
	}
	u := &unit{}
	d.head(u)
	u.section("Unit")
	if template {
		u.set("Description", "brood: socket %i of "+d.value("listener", l.Name))
		u.why("One that stays open alone would collect connections which nobody reads.")
		u.set("PartOf", d.unitName(".service"))
	} else {
		u.set("Description", fmt.Sprintf("brood: the socket %s of %s", d.value("listener", l.Name), d.cfg.Name))
	}
	u.section("Socket")
	d.address(u, a)
	u.set("FileDescriptorName", d.value("listener", name))
	if sharded {
		u.why("So that each slot can have a socket of its own.")
		u.set("ReusePort", "yes")
	}
	d.queue(u, l, a)
	u.set("Service", d.unitName(".service"))
	u.section("Install")
	u.set("WantedBy", "sockets.target")
	file.Text = u.text.String()
	d.connect(l, base, template)
	return file
}

// connect makes the service take the socket.
func (d *draft) connect(l *config.Listener, base string, template bool) {
	if !template {
		d.names = append(d.names, base+".socket")
		d.start = append(d.start, shellWord(base+".socket"))
		return
	}
	n := 2 * d.slots(l)
	d.start = append(d.start, shellWord(base)+"@{1.."+strconv.Itoa(n)+"}.socket")
	for i := range n {
		d.names = append(d.names, base+"@"+strconv.Itoa(i+1)+".socket")
	}
	d.note("listener %s has %d sockets, two for each of its workers: run brood units again when there are to be more workers", l.Name, n)
}

func (d *draft) address(u *unit, a listener.Address) {
	address, only6 := streams(a)
	key := "ListenStream"
	if a.Network == networkUDP {
		key = "ListenDatagram"
	}
	u.set(key, d.value("address", address))
	if only6 != "" {
		u.set("BindIPv6Only", only6)
	}
	if placed(a) {
		u.why("Sockets are opened before the network is up.")
		u.set("FreeBind", "yes")
	}
}

// queue writes what is said of the socket itself.
func (d *draft) queue(u *unit, l *config.Listener, a listener.Address) {
	if a.Network != networkUDP {
		n := l.Backlog
		if n == 0 {
			n = backlog
		}
		u.set("Backlog", n)
	}
	if a.Network != networkUnix || strings.HasPrefix(a.Path, "@") {
		return
	}
	perm := l.Perm
	if perm == 0 {
		perm = 0o660
	}
	u.set("SocketMode", fmt.Sprintf("0%o", perm))
	if owner := first(l.Owner, d.as.user); owner != "" {
		u.set("SocketUser", d.value("owner", owner))
	}
	if group := first(l.Group, d.as.group); group != "" {
		u.set("SocketGroup", d.value("group", group))
	}
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
