package text

// Near is the one of some words that somebody may have meant who wrote another one; "" if none is like it. One that is
// spelled alike but for a quarter of its characters is, and one that begins with what was written. Of a single letter nothing
// would be left.
func Near(word string, of []string) string {
	best, least := "", max(1, len(word)/4)+1
	if len(word) < 2 {
		return ""
	}
	for _, candidate := range of {
		d := distance(word, candidate)
		if len(candidate) > len(word) && candidate[:len(word)] == word {
			d = 1 // as good as one slip
		}
		if d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is how many slips make one word the other: a character more, one less, another one, or two that changed
// places. It counts bytes: the words are ASCII.
func distance(a, b string) int {
	var before []int // the row above the row above
	above := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			other := 1
			if a[i] == b[j] {
				other = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+other)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
