package units

import (
	"fmt"
	"strings"
)

// unit is the text of one, line by line.
type unit struct{ text strings.Builder }

func (u *unit) section(name string) {
	if u.text.Len() > 0 {
		u.text.WriteByte('\n')
	}
	_, _ = fmt.Fprintf(&u.text, "[%s]\n", name)
}

// why is a comment, for what stands below it.
func (u *unit) why(format string, args ...any) {
	_, _ = fmt.Fprintf(&u.text, "# "+format+"\n", args...)
}

func (u *unit) set(key string, value any) {
	_, _ = fmt.Fprintf(&u.text, "%s=%v\n", key, value)
}

func (u *unit) gap() { u.text.WriteByte('\n') }

// head says where the file comes from.
func (d *draft) head(u *unit) {
	u.why("Written by brood units from %q; brood units --install writes it again.", d.cfg.Path)
}
