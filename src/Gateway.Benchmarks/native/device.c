// Both ends of a queue, and libzmq's own queue to compare with.
//   device proxy                            zmq_proxy between a ROUTER and a DEALER; says "ready FRONT BACK"
//   device load FRONT BACK SIZE WINDOW      two DEALER clients, each with WINDOW requests in flight, and two DEALER services that echo;
//                                           for each "SECONDS" on stdin it says "requests N seconds S"
#include "common.h"
#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

enum { CLIENTS = 2, SERVICES = 2 };

static void *context;
static int front, back, window;
static size_t size;
static atomic_long answered;

static int port_of(void *socket) {
    char endpoint[256];
    size_t length = sizeof endpoint;
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length);
    return atoi(strrchr(endpoint, ':') + 1);
}

static void *connected(int port) {
    char endpoint[64];
    int none = 0;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", port);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    if (zmq_connect(socket, endpoint)) fail("zmq_connect");
    return socket;
}

// Reads all frames of a message; returns the length of the last.
static size_t receive(void *socket, zmq_msg_t *identity, zmq_msg_t *body) {
    if (identity && zmq_msg_recv(identity, socket, 0) < 0) return 0;
    if (zmq_msg_recv(body, socket, 0) < 0) return 0;
    return zmq_msg_size(body);
}

static void *serve(void *unused) {
    (void)unused;
    void *socket = connected(back);
    zmq_msg_t identity, body;
    zmq_msg_init(&identity), zmq_msg_init(&body);
    while (receive(socket, &identity, &body) == size) {
        zmq_msg_send(&identity, socket, ZMQ_SNDMORE);
        zmq_msg_send(&body, socket, 0);
    }
    fail("a service got something else");
    return NULL;
}

static void ask(void *socket) {
    zmq_msg_t body;
    zmq_msg_init_size(&body, size);
    memset(zmq_msg_data(&body), 'x', size);
    if (zmq_msg_send(&body, socket, 0) < 0) fail("zmq_msg_send");
}

static void *request(void *unused) {
    (void)unused;
    void *socket = connected(front);
    zmq_msg_t body;
    zmq_msg_init(&body);
    for (int i = 0; i < window; i++) ask(socket);
    while (receive(socket, NULL, &body) == size) {
        atomic_fetch_add_explicit(&answered, 1, memory_order_relaxed);
        ask(socket);
    }
    fail("a client got something else");
    return NULL;
}

static void *end_with_stdin(void *unused) {
    (void)unused;
    char line[64];
    while (fgets(line, sizeof line, stdin)) {}
    exit(0);
}

static void proxy(void) {
    pthread_t leash;
    void *router = zmq_socket(context, ZMQ_ROUTER), *dealer = zmq_socket(context, ZMQ_DEALER);
    if (zmq_bind(router, "tcp://127.0.0.1:*") || zmq_bind(dealer, "tcp://127.0.0.1:*")) fail("zmq_bind");
    printf("ready %d %d\n", port_of(router), port_of(dealer));
    fflush(stdout);
    pthread_create(&leash, NULL, end_with_stdin, NULL);
    zmq_proxy(router, dealer, NULL);
}

static void load(void) {
    pthread_t thread;
    char line[64];
    for (int i = 0; i < SERVICES; i++) pthread_create(&thread, NULL, serve, NULL);
    for (int i = 0; i < CLIENTS; i++) pthread_create(&thread, NULL, request, NULL);
    while (!atomic_load(&answered)) usleep(1000);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        long before = atomic_load(&answered);
        int64_t begun = now_ns();
        usleep((useconds_t)(atof(line) * 1e6));
        printf("requests %ld seconds %.6f\n", atomic_load(&answered) - before, (double)(now_ns() - begun) / 1e9);
        fflush(stdout);
    }
    exit(0);
}

int main(int argc, char **argv) {
    context = zmq_ctx_new();
    if (argc == 2 && !strcmp(argv[1], "proxy")) proxy();
    if (argc == 6 && !strcmp(argv[1], "load")) {
        front = atoi(argv[2]), back = atoi(argv[3]), size = (size_t)atol(argv[4]), window = atoi(argv[5]);
        load();
    }
    fprintf(stderr, "device proxy | device load FRONT BACK SIZE WINDOW\n");
    return 2;
}
