/* The board: a memory that the bench shares with every worker it measures, so
 * that telling the time of an event costs the worker no system call.
 * board_linux.go has the same layout. */
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES = 16384 };

struct entry {
	int32_t pid, unused;
	int64_t start_ns; /* CLOCK_MONOTONIC at the first instruction of main */
	int64_t hup_ns;   /* and in the handler of the last SIGHUP */
	int64_t reserved;
};

struct board {
	uint32_t taken;                   /* entries given away */
	uint32_t started, started_target; /* workers that run; whom to ring for */
	uint32_t hupped, hupped_target;   /* handlers that ran */
	uint32_t bell;                    /* futex */
	uint32_t reserved[10];
	struct entry entries[ENTRIES];
};

static inline int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* count one more, and ring when the bench waits for just this one */
static inline void count(struct board *b, uint32_t *counter, uint32_t *target)
{
	uint32_t n = __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
	if (n == __atomic_load_n(target, __ATOMIC_SEQ_CST)) {
		__atomic_add_fetch(&b->bell, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &b->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}
