package compat

import (
	"fmt"
	"strings"
)

const head = `# Compatibility

Servers of others under brood, as ` + "`make compat`" + ` found them: each was started by its line below with Debian's package, or the
program as it came, and asked. Nobody edits this page; what was counted is in [compatibility.json](compatibility.json).

- **checks** LISTEN_PID: started with the number of another process, it does not serve the socket. brood sets the right one.
- **stop**: the signal that lets requests finish, and what the worker ends with.
- **reload**: what ` + "`brood reload`" + ` comes to. "replaced" is a rollout; a signal is relayed to workers that stay. Failed
  requests of all that were sent during %[1]d of them.
- **notify**: it says READY=1 on the notification socket. The others are seen by the kernel's tables.
- **rollouts**: failed requests of all, over %[1]d rollouts of two workers, with 8 clients that open a connection for each request and 4 that
  keep theirs. "+ n" are requests that met the close of a kept connection: see [what is lost](lossless.md).
- **kills**: failed requests of all, over %[1]d kills with SIGKILL, by turns of the leading process and of all of a worker at once; 16
  clients without a pause, a connection for each request. "held" are those that a process of the killed worker had accepted, which nobody can
  save; "lost" are others.

`

const foot = `
## How they are started

As above but for two flags: the runs had ` + "`--max-surge 2`, to be done sooner, and `--backoff 10ms`" + `, because two workers that are killed over
and over look like a crash loop. The files are in ` + "`internal/compat/testdata`" + `.

`

// Page writes the report for readers.
func Page(r Report) (string, error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, head, r.Times)
	out.WriteString("| server | how it takes the socket | checks | stop | reload | notify | rollouts | kills |\n|---|---|---|---|---|---|---|---|\n")
	servers := Servers()
	for i, result := range r.Servers {
		fmt.Fprintf(&out, "| %s %s | %s | %s | %s: %s | %s | %s | %s | %s |\n", result.Name, result.Version, servers[i].Takes,
			yes(result.ChecksPID), result.Signal, result.ended(), result.Reload, yes(result.Notifies), result.Rollouts, result.Kills)
	}
	out.WriteString(foot)
	out.WriteString("| server | packages | command | to know |\n|---|---|---|---|\n")
	for _, s := range servers {
		fmt.Fprintf(&out, "| %s | %s | `%s` | %s |\n", s.Name, s.Package, s.Line(), s.Note)
	}
	out.WriteString(ownHead)
	strangers := Strangers()
	for i, own := range r.Own {
		s := strangers[i]
		fmt.Fprintf(&out, "| %s %s | %s | %s | `%s` | %d of %d; %s |\n", own.Name, own.Version, s.Package, s.Why, s.Line(),
			own.Answered, workersOfOwn, own.Exit)
	}
	return out.String(), nil
}

const ownHead = `
## Those that take no socket

With a socket to inherit they do not answer on it. Each worker has a port of its own instead, and rules of nftables (` + "`brood nft`" + `,
[contrib/nftables](../contrib/nftables)) spread what comes to the public one over those that are ready. What is lost with them is what such a
worker had in its own queue.

| server | packages | why | command | answered; ended with |
|---|---|---|---|---|
`

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// ended is the cell of the page.
func (r Result) ended() string {
	if r.Late == 0 {
		return r.Exit
	}
	return fmt.Sprintf("%s; %d killed at the end of their grace", r.Exit, r.Late)
}

// String is the cell of the page.
func (c Count) String() string {
	text := fmt.Sprintf("%d of %d", c.Failed, c.Requests)
	if c.Closed > 0 {
		text += fmt.Sprintf(" + %d", c.Closed)
	}
	return text
}

// String is the cell of the page.
func (r Reload) String() string {
	if r.Signal == "" {
		return "replaced"
	}
	text := r.Signal + ": " + r.Count.String()
	if r.Died > 0 {
		text += fmt.Sprintf(", ended %d times", r.Died)
	}
	return text
}

// String is the cell of the page.
func (k Kills) String() string {
	return fmt.Sprintf("%d of %d: %d held, %d lost", k.Failed, k.Requests, k.Held, k.Lost())
}
