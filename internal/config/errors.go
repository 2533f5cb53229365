package config

import (
	"errors"
	"slices"
	"strings"
)

var (
	errOctal = errors.New("it is an octal number from 1 to 777, such as 0660")
	errUmask = errors.New("it is an octal number from 0 to 777, such as 0027")
	errOwner = errors.New("it is USER, USER:GROUP or :GROUP")
	errRange = errors.New("it is FIRST-LAST, such as 0-1023")
)

// wordError says which words there are, in place of an error that says it in other words; nil stays nil.
func wordError(word string, all []string, err error) error {
	if err == nil {
		return nil
	}
	return hinted(errors.New("it is one of "+strings.Join(all, ", ")), didYouMeanOnly(word, all))
}

// didYouMeanOnly is the hint where the message lists all words.
func didYouMeanOnly(word string, all []string) string {
	if near := nearest(word, all); near != "" && !slices.Contains(all, word) {
		return "did you mean " + quote(near) + "?"
	}
	return ""
}
