package config

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/broodctl/brood/listener"
)

// resolver makes a Config of a File. It goes on after a problem, so that it finds all.
type resolver struct {
	file     *File // with the defaults
	world    World
	doc      *document // nil if flags filled the file
	problems Problems
	// secretLines have secrets that are wrong: no problem quotes them.
	secretLines []int
	listeners   map[string]listener.Config // those whose address could be read
	cfg         Config
}

// FromFile returns what a File means, or Problems: those of reading it and those of its meaning. The File may come from
// Parse or from flags.
func FromFile(f *File, w World) (*Config, error) {
	r := &resolver{file: Complete(f), world: w, doc: f.doc, listeners: map[string]listener.Config{}}
	if r.doc != nil {
		r.problems = slices.Clone(r.doc.problems)
		r.world.Dir = or(w.Dir, dirOf(r.doc.name))
		r.cfg.Path, r.cfg.doc = r.doc.name, r.doc
	}
	r.supervisor()
	r.coordination(r.file.Coordination)
	for _, name := range r.names("listen", slices.Collect(maps.Keys(f.Listen))) {
		r.listener(name, r.file.Listen[name])
	}
	for _, name := range r.names("pool", slices.Collect(maps.Keys(f.Pool))) {
		r.pool(name, r.file.Pool[name])
	}
	for _, name := range r.names("on_event", slices.Collect(maps.Keys(f.OnEvent))) {
		r.hook(name, r.file.OnEvent[name])
	}
	r.together()
	if err := r.finish(); err != nil {
		return nil, err
	}
	if document, err := Document(f); err == nil { // what is no UTF-8 cannot be shown, and runs all the same
		r.cfg.Document = document
	}
	return &r.cfg, nil
}

// bad reports a problem with a key, unless there is one with it already: what could not be read is not judged.
func (r *resolver) bad(key, hint, format string, args ...any) {
	if r.hasProblem(key) {
		return
	}
	p := Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint}
	if r.doc != nil {
		p.File = r.doc.name
		p.Line, p.Column, p.Source = r.doc.place(r.doc.find(key).value)
	}
	r.problems = append(r.problems, p)
}

// badName is bad for a name that the user chose: the place is that of the name, not of what it is given.
func (r *resolver) badName(key, hint, format string, args ...any) {
	n := len(r.problems)
	if r.bad(key, hint, format, args...); len(r.problems) > n && r.doc != nil {
		p := &r.problems[n]
		p.Line, p.Column, p.Source = r.doc.place(r.doc.find(key).key)
	}
}

// badSecret is bad for a value that must not be shown again, by whatever problem its line has.
func (r *resolver) badSecret(key, hint, format string, args ...any) {
	n := len(r.problems)
	if r.bad(key, hint, format, args...); len(r.problems) > n {
		r.secretLines = append(r.secretLines, r.problems[n].Line)
	}
}

// finish sorts what was found by its place: what the file says first, then what is wrong in files that it names.
func (r *resolver) finish() error {
	if len(r.problems) == 0 {
		return nil
	}
	for i, p := range r.problems {
		if slices.Contains(r.secretLines, p.Line) {
			r.problems[i].Source = ""
		}
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(r.rank(a), r.rank(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r.problems
}

func (r *resolver) rank(p Problem) int {
	if p.File == r.cfg.Path {
		return 0
	}
	return 1
}

// anyIn reports whether there is a problem with anything in a table.
func (r *resolver) anyIn(table string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return strings.HasPrefix(p.Key, table+".") })
}

// hasProblem reports whether there is one with the key, with what it is in, or with an element of its array.
func (r *resolver) hasProblem(key string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool {
		rest, ok := strings.CutPrefix(key, p.Key)
		return p.Key != "" && (ok && (rest == "" || rest[0] == '.' || rest[0] == '[') || strings.HasPrefix(p.Key, key+"["))
	})
}

// name is what people call a key: its flag, or its own last name.
func (r *resolver) name(key string) string {
	if r.doc == nil && r.world.Flag != nil {
		if flag := r.world.Flag(key); flag != "" {
			return flag
		}
	}
	return last(key)
}

// names are the names of pools or listeners, in the order of the file.
func (r *resolver) names(table string, all []string) []string {
	slices.Sort(all)
	if r.doc == nil {
		return all
	}
	order := r.doc.order[table]
	slices.SortStableFunc(all, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return all
}

// unreadable reports a word that is not one of a key's.
func (r *resolver) unreadable(key, word string, err error) {
	r.bad(key, hintOf(err), "cannot read %s %q: %v", r.name(key), word, err)
}

// oneOf reads a key that has a few words.
func oneOf[T any](r *resolver, key, word string, words map[string]T) T {
	v, ok := words[word]
	if !ok {
		all := slices.Sorted(maps.Keys(words))
		r.bad(key, didYouMeanOnly(word, all), "cannot read %s %q: it is one of %s", r.name(key), word, strings.Join(all, ", "))
	}
	return v
}

var (
	supervisorName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$`) // part of the path of a socket and of log lines
	poolName       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
)

// nameOf is the supervisor's name when nobody chose one: the file's.
func nameOf(path string) string {
	return strings.TrimSuffix(filepath.Base(path), ".toml")
}

func (r *resolver) supervisor() {
	const table = "supervisor"
	s := r.file.Supervisor
	if key := under(table, "name"); !supervisorName.MatchString(s.Name) {
		r.bad(key, "", "cannot call a supervisor %q: use up to 64 letters, digits, and - _ . @", s.Name)
	}
	r.http(under(table, "http"), s.HTTP)
	r.httpHosts(under(table, "http_hosts"), s.HTTPHosts)
	r.control(under(table, "control"), s.Control) // it asks whether there is http
	oneOf(r, under(table, "log_level"), s.LogLevel, words("trace", "debug", "info", "warn", "error"))
	oneOf(r, under(table, "log_format"), s.LogFormat, words("auto", "json", "text"))
	r.cfg.Name, r.cfg.LogLevel, r.cfg.LogFormat = s.Name, s.LogLevel, s.LogFormat
	r.cfg.UpgradeOnReload = s.UpgradeOnReload
	if s.StopTimeout != nil {
		r.cfg.StopTimeout = time.Duration(*s.StopTimeout)
		if *s.StopTimeout == 0 {
			r.bad(under(table, "stop_timeout"), "leave it out if nobody limits the stop", "stop_timeout is 0")
		}
	}
}

// words is for oneOf, where a word means itself.
func words(all ...string) map[string]string {
	m := make(map[string]string, len(all))
	for _, word := range all {
		m[word] = word
	}
	return m
}
