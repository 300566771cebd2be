// A REP service on libzmq that sends back what it gets. Prints "ready PORT".
#include "common.h"
#include <pthread.h>
#include <zmq.h>

static void *end_with_stdin(void *unused) {
    char skip[64];
    while (read(0, skip, sizeof skip) > 0) {}
    exit(0);
    return unused;
}

int main(void) {
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_REP);
    char endpoint[64];
    size_t length = sizeof endpoint;
    if (zmq_bind(socket, "tcp://127.0.0.1:*")) fail("zmq_bind");
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length);
    printf("ready %s\n", strrchr(endpoint, ':') + 1);
    fflush(stdout);
    pthread_t watcher;
    pthread_create(&watcher, NULL, end_with_stdin, NULL);
    for (;;) {
        zmq_msg_t frame;
        int more;
        do {
            zmq_msg_init(&frame);
            if (zmq_msg_recv(&frame, socket, 0) < 0) fail("zmq_msg_recv");
            more = zmq_msg_more(&frame);
            if (zmq_msg_send(&frame, socket, more ? ZMQ_SNDMORE : 0) < 0) fail("zmq_msg_send");
        } while (more);
    }
}
