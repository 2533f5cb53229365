/* The smallest worker: says that it runs with one byte on descriptor 3 and waits to be killed. */
#include <unistd.h>

int main(void)
{
	if (write(3, "r", 1) != 1)
		return 1;
	for (;;)
		pause();
}
