// A PUB source on libzmq. Prints "ready PORT"; commands: "start RATE SIZE TOPICS", "stop" (answers "published N").
// RATE is messages a second, 0 for as many as go. A message is [topic t00000...][SIZE bytes: clock in ns, number, filling].
// Topics come in an order that puts neighbours far apart, so that consecutive messages go to different subscribers.
#include "common.h"
#include <zmq.h>

static int command(int timeout_ms, char *line, size_t size) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    if (poll(&in, 1, timeout_ms) <= 0) return 0;
    ssize_t n = read(0, line, size - 1);
    if (n <= 0) exit(0);
    line[n] = 0;
    return 1;
}

int main(void) {
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PUB);
    char endpoint[64], line[256];
    size_t length = sizeof endpoint;
    if (zmq_bind(socket, "tcp://127.0.0.1:*")) fail("zmq_bind");
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length);
    printf("ready %s\n", strrchr(endpoint, ':') + 1);
    fflush(stdout);

    for (;;) {
        unsigned long rate, size, topics;
        if (!command(-1, line, sizeof line) || sscanf(line, "start %lu %lu %lu", &rate, &size, &topics) != 3) continue;
        uint8_t *body = calloc(1, size);
        uint64_t number = 0;
        int64_t begin = now_ns();
        for (;;) {
            int64_t now = now_ns();
            // What is due at this moment; a flood asks the clock and stdin every 256 messages.
            uint64_t due = rate ? (uint64_t)((double)(now - begin) * (double)rate / 1e9) : number + 256;
            for (; number < due; number++) {
                char topic[32];
                snprintf(topic, sizeof topic, "t%05lu", (unsigned long)(number * 7919 % topics));
                int64_t clock = rate ? now : now_ns();
                memcpy(body, &clock, 8), memcpy(body + 8, &number, 8);
                if (zmq_send(socket, topic, 6, ZMQ_SNDMORE) < 0 || zmq_send(socket, body, size, 0) < 0) fail("zmq_send");
            }
            // Never more often than each millisecond: a burst of due messages is what a busy publisher sends as well.
            int wait_ms = rate == 0 ? 0 : rate >= 1000 ? 1 : (int)(1000 / rate);
            if (command(wait_ms, line, sizeof line)) break;
        }
        printf("published %lu\n", (unsigned long)number);
        fflush(stdout);
        free(body);
    }
}
