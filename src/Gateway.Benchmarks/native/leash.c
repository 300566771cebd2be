// leash program argument...: runs a program in a process group of its own and kills the group when stdin ends.
// Prints "pid N" first; what follows on stdout is the program's.
#include "common.h"
#include <sys/wait.h>

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    int out = dup(1);
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        setpgid(0, 0);
        close(out);
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        execvp(argv[1], argv + 1);
        fail(argv[1]);
    }
    setpgid(child, child);
    dprintf(out, "pid %d\n", child);
    // The program alone holds stdout now, so the reader sees its end.
    close(out), close(1);
    int ended;
    struct pollfd in = {.fd = 0, .events = POLLIN};
    char skip[64];
    while (!(ended = waitpid(child, NULL, WNOHANG) == child)) {
        if (poll(&in, 1, 50) > 0 && read(0, skip, sizeof skip) <= 0) break;
    }
    kill(-child, SIGKILL);
    if (!ended) waitpid(child, NULL, 0);
    return 0;
}
