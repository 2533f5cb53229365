package control

// places bound what may go on at once. Root and the supervisor's user have as many for themselves, so that others cannot keep
// them out; those who come over TCP are others.
type places struct{ trusted, others chan struct{} }

func newPlaces(n int) places {
	return places{trusted: make(chan struct{}, n), others: make(chan struct{}, n)}
}

// of returns where a caller puts something to take a place, and takes it out again to give it back.
func (p places) of(who identified) chan struct{} {
	if who.from == "" && trusted(who.uid) {
		return p.trusted
	}
	return p.others
}
