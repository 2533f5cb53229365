package config

import (
	"strings"
)

// nearest returns the word that was probably meant: at most one change for each three letters away, and one in short words, or the same but for
// capitals, dashes and underscores. "" if there is none.
func nearest(word string, words []string) string {
	best, least := "", len(word)/3+1
	for _, candidate := range words {
		d := distance(word, candidate)
		if plain(word) == plain(candidate) {
			d = 0
		}
		if d < least {
			best, least = candidate, d
		}
	}
	return best
}

func plain(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
}

// distance counts the letters to insert, delete, replace or swap with their neighbour between two words: the optimal
// string alignment distance.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	older, old, now := rows[0], rows[1], rows[2]
	for j := range now {
		old[j] = j
	}
	for i := 1; i <= len(x); i++ {
		now[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			now[j] = min(old[j]+1, now[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				now[j] = min(now[j], older[j-2]+1)
			}
		}
		older, old, now = old, now, older
	}
	return old[len(y)]
}

// didYouMean is the hint for a word that is close to one of words, else the list of all.
func didYouMean(word string, words []string) string {
	if near := nearest(word, words); near != "" {
		return `did you mean "` + near + `"?`
	}
	if len(words) == 0 {
		return ""
	}
	return "it is one of " + strings.Join(words, ", ")
}
