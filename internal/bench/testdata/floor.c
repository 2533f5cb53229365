/* The floor: the least that a parent of N workers can do in C on this machine.
 * Starts them by vfork, starts the dead again, passes on SIGHUP, and on SIGTERM
 * tells all to end and waits for them. No log, no state, no choice.
 *
 *   floor N PROGRAM */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char **program;
static sigset_t heard, none;

static pid_t start(void)
{
	pid_t pid = vfork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &none, NULL);
		execv(program[0], program);
		_exit(127);
	}
	return pid;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int n = atoi(argv[1]), live = n, stopping = 0;
	program = argv + 2;
	sigemptyset(&none);
	sigemptyset(&heard);
	sigaddset(&heard, SIGCHLD);
	sigaddset(&heard, SIGHUP);
	sigaddset(&heard, SIGTERM);
	sigprocmask(SIG_SETMASK, &heard, NULL);
	pid_t *pids = calloc(n, sizeof *pids);
	for (int i = 0; i < n; i++)
		if ((pids[i] = start()) < 0)
			return 1;
	while (live > 0) {
		int sig = sigwaitinfo(&heard, NULL);
		if (sig == SIGHUP || sig == SIGTERM) {
			stopping |= sig == SIGTERM;
			for (int i = 0; i < n; i++)
				if (pids[i] > 0)
					kill(pids[i], sig);
		}
		for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
			for (int i = 0; i < n; i++)
				if (pids[i] == pid) {
					pids[i] = stopping ? 0 : start();
					live -= stopping;
				}
	}
	return 0;
}
