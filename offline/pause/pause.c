/* Waits until it is told to stop; as PID 1 of a shared namespace it also reaps what other containers orphan. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int number) {
    (void)number;
    _exit(EXIT_SUCCESS);
}

static void reap(int number) {
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

int main(void) {
    struct sigaction stopping = {.sa_handler = stop}, reaping = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
    if (sigaction(SIGINT, &stopping, NULL) || sigaction(SIGTERM, &stopping, NULL) || sigaction(SIGCHLD, &reaping, NULL))
        return EXIT_FAILURE;
    for (;;)
        pause();
}
