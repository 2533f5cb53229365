package listener

import "strconv"

// maxName bounds the name of a listener, as FileDescriptorName= of systemd.socket(5) does.
const maxName = 255

// distinguish gives each address a name of its own. Several ListenStream= of one .socket unit come under one name, and so
// do units that were not told names apart: the first address keeps the name, the next ones are NAME-2, NAME-3 and so on, in
// the order in which they were passed, without those that systemd gave. Sockets of one name and one address stay together.
func distinguish(all []passed) {
	type home struct {
		name string
		at   Address
	}
	names, first, taken := map[home]string{}, map[string]bool{}, map[string]bool{}
	for _, p := range all {
		taken[p.Name] = true
	}
	for i := range all {
		p := &all[i]
		p.given = p.Name
		at := home{p.given, p.at}
		name, known := names[at]
		if !known {
			name = p.given
			for n := 2; first[p.given] && taken[name]; n++ {
				name = numbered(p.given, n)
			}
			first[p.given], taken[name], names[at] = true, true, name
		}
		p.Name = name
	}
}

func numbered(name string, n int) string {
	suffix := "-" + strconv.Itoa(n)
	return name[:min(len(name), maxName-len(suffix))] + suffix
}
