package lease

import (
	"context"
	"fmt"
)

// Board keeps words that belong to no holder: they stay when all who had a place are gone.
type Board interface {
	// Memo reads what is written under a name. Where nobody has written yet, its revision is 0.
	Memo(ctx context.Context, name string) (Memo, error)

	// SetMemo writes it if nobody has since that revision, and else says [ErrChanged]. After another error it may be
	// written or not.
	SetMemo(ctx context.Context, name, text string, since uint64) (Memo, error)

	// AwaitMemo returns what is written when that is of another revision.
	AwaitMemo(ctx context.Context, name string, since uint64) (Memo, error)
}

// Memo is what is written under a name.
type Memo struct {
	Text     string
	Revision uint64 // is larger each time; 0 is never written
}

// What a memo may be. Its name is shorter than that of places, because engines put a word behind it.
const (
	MaxMemo     = 2048
	MaxMemoName = MaxName - 8
)

// CheckMemo says what is wrong with a name and a text.
func CheckMemo(name, text string) error {
	switch {
	case len(name) > MaxMemoName:
		return fmt.Errorf("the name %q is longer than %d letters", name, MaxMemoName)
	case len(text) > MaxMemo:
		return fmt.Errorf("what is to be written under %s has %d bytes, more than %d", name, len(text), MaxMemo)
	}
	return Check(name, Only(0))
}
