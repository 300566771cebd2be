// A service with large frames, in ZMTP by hand because libzmq holds every frame whole, and the same service on plain TCP.
// Prints "ready ZMTP_PORT TCP_PORT". ZMTP (a REP socket): a request below 1 KiB is a number N, its reply one frame of N bytes;
// a larger request is counted and its length is the reply, as text. Plain TCP: [operation 'd' or 'u'][N, 8 bytes big-endian],
// then N bytes down, or N bytes up and their count, 8 bytes, down.
#include "zmtp.h"
#include <pthread.h>

static char chunk[1 << 20];

static int send_bytes(int fd, uint64_t length) {
    while (length) {
        size_t part = length < sizeof chunk ? length : sizeof chunk;
        if (!write_exactly(fd, chunk, part)) return 0;
        length -= part;
    }
    return 1;
}

static int skip_bytes(int fd, uint64_t length) {
    static __thread char skipped[1 << 20];
    while (length) {
        ssize_t n = recv(fd, skipped, length < sizeof skipped ? length : sizeof skipped, 0);
        if (n <= 0) return 0;
        length -= (uint64_t)n;
    }
    return 1;
}

// Answers what asks for no reply (a PING) and skips other commands.
static int take_command(int fd, uint64_t length) {
    uint8_t command[512], answer[2 + 512];
    if (length > sizeof command || !read_exactly(fd, command, length)) return 0;
    if (length < 7 || memcmp(command, "\4PING", 5)) return 1;
    size_t context = length - 7;
    answer[0] = ZMTP_COMMAND, answer[1] = (uint8_t)(5 + context);
    memcpy(answer + 2, "\4PONG", 5);
    memcpy(answer + 7, command + 7, context);
    return write_exactly(fd, answer, 7 + context);
}

static int answer_request(int fd, uint8_t *envelope, size_t envelope_length, uint64_t length) {
    char text[1024] = {0}, reply[32];
    if (!write_exactly(fd, envelope, envelope_length)) return 0;
    if (length < sizeof text) {
        if (!read_exactly(fd, text, length)) return 0;
        uint64_t size = strtoull(text, NULL, 10);
        uint8_t header[9] = {ZMTP_LONG};
        store_be64(header + 1, size);
        return write_exactly(fd, header, 9) && send_bytes(fd, size);
    }
    if (!skip_bytes(fd, length)) return 0;
    int n = snprintf(reply + 2, sizeof reply - 2, "%lu", (unsigned long)length);
    reply[0] = 0, reply[1] = (char)n;
    return write_exactly(fd, reply, (size_t)n + 2);
}

static void serve_zmtp(int fd) {
    uint8_t envelope[512];
    size_t envelope_length = 0;
    uint64_t length;
    int flags;
    if (!zmtp_handshake(fd, "REP")) return;
    while ((flags = zmtp_read_header(fd, &length)) >= 0) {
        if (flags & ZMTP_COMMAND) {
            if (!take_command(fd, length)) return;
        } else if (flags & ZMTP_MORE) {
            // Frames of the envelope, the empty one included, go back as they came.
            if (length > 255 || envelope_length + 2 + length > sizeof envelope) return;
            envelope[envelope_length++] = ZMTP_MORE, envelope[envelope_length++] = (uint8_t)length;
            if (!read_exactly(fd, envelope + envelope_length, length)) return;
            envelope_length += length;
        } else {
            if (!answer_request(fd, envelope, envelope_length, length)) return;
            envelope_length = 0;
        }
    }
}

static void serve_plain(int fd) {
    uint8_t order[9];
    while (read_exactly(fd, order, sizeof order)) {
        uint64_t length = load_be64(order + 1);
        uint8_t count[8];
        store_be64(count, length);
        if (order[0] == 'd' ? !send_bytes(fd, length) : !skip_bytes(fd, length) || !write_exactly(fd, count, 8)) return;
    }
}

struct service { int listener; void (*serve)(int); };
struct connection { int fd; void (*serve)(int); };

static void *run_connection(void *argument) {
    struct connection connection = *(struct connection *)argument;
    free(argument);
    connection.serve(connection.fd);
    close(connection.fd);
    return NULL;
}

static void *accept_all(void *argument) {
    struct service *service = argument;
    for (;;) {
        struct connection *connection = malloc(sizeof *connection);
        int one = 1;
        *connection = (struct connection){accept4(service->listener, NULL, NULL, SOCK_CLOEXEC), service->serve};
        if (connection->fd < 0) fail("accept");
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_t thread;
        pthread_create(&thread, NULL, run_connection, connection);
        pthread_detach(thread);
    }
    return NULL;
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    int zmtp_port, tcp_port;
    struct service zmtp = {listen_on_loopback(&zmtp_port), serve_zmtp}, tcp = {listen_on_loopback(&tcp_port), serve_plain};
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, accept_all, &zmtp);
    pthread_create(&threads[1], NULL, accept_all, &tcp);
    printf("ready %d %d\n", zmtp_port, tcp_port);
    fflush(stdout);
    char skip[64];
    while (read(0, skip, sizeof skip) > 0) {}
    return 0;
}
