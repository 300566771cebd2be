// The baseline of streams: subscribes to a PUB source and sends each body to all WebSocket clients. One thread, one epoll,
// one shared buffer of encoded frames, a cursor a client, as many messages in one send as wait; ZMTP spoken by hand.
// A client that falls more than LIMIT behind continues at the oldest whole message, as Gateway's DropOldest does.
// broadcaster PUB_PORT; prints "ready PORT".
#include "common.h"
#include "websocket.h"
#include "zmtp.h"
#include <sys/mman.h>

#define LIMIT (1u << 20)    // bytes that may wait for a client
#define CAPACITY (4u << 20) // of the shared buffer: what is being sent must not be overwritten
#define STARTS (1u << 17)   // remembered message boundaries: LIMIT holds fewer even of the smallest messages here
#define MAX_CLIENTS 65536

struct client {
    int fd, open, writable, gone;
    uint64_t cursor;
    uint8_t *tail; // rest of a message that was begun before the cursor jumped
    size_t tail_length, tail_sent, head_length;
    char *head;
};

static uint8_t *ring;
static uint64_t head, starts[STARTS], first_start, next_start;
static struct client *clients[MAX_CLIENTS];
static int client_count;

// The same pages twice in a row, so that what wraps is contiguous.
static void map_ring(void) {
    int fd = memfd_create("ring", 0);
    if (ftruncate(fd, CAPACITY)) fail("ftruncate");
    ring = mmap(NULL, 2 * CAPACITY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 2; i++) {
        if (mmap(ring + i * CAPACITY, CAPACITY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) fail("mmap");
    }
}

static void append(const uint8_t *body, size_t length) {
    uint8_t *to = ring + head % CAPACITY;
    size_t header = length < 126 ? 2 : length < 65536 ? 4 : 10;
    to[0] = 0x82;
    if (header == 2) to[1] = (uint8_t)length;
    else if (header == 4) to[1] = 126, to[2] = (uint8_t)(length >> 8), to[3] = (uint8_t)length;
    else to[1] = 127, store_be64(to + 2, length);
    memcpy(to + header, body, length);
    starts[next_start++ % STARTS] = head;
    head += header + length;
    while (head - starts[first_start % STARTS] > LIMIT || next_start - first_start == STARTS) first_start++;
}

// End of the message that holds the position; the position itself when it is a boundary.
static uint64_t boundary_after(uint64_t position) {
    uint64_t low = next_start > STARTS ? next_start - STARTS : 0, high = next_start;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (starts[middle % STARTS] < position) low = middle + 1;
        else high = middle;
    }
    return low == next_start ? head : starts[low % STARTS];
}

static void drop_client(int index) {
    struct client *c = clients[index];
    close(c->fd);
    free(c->tail), free(c->head), free(c);
    clients[index] = clients[--client_count];
}

// False when the client is gone.
static int send_waiting(struct client *c) {
    while (c->writable) {
        ssize_t n;
        if (c->tail) {
            n = send(c->fd, c->tail + c->tail_sent, c->tail_length - c->tail_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        } else {
            if (c->cursor == head) return 1;
            n = send(c->fd, ring + c->cursor % CAPACITY, head - c->cursor, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        if (n < 0) {
            if (errno != EAGAIN) return 0;
            c->writable = 0;
        } else if (c->tail) {
            c->tail_sent += (size_t)n;
            if (c->tail_sent == c->tail_length) free(c->tail), c->tail = NULL;
        } else {
            c->cursor += (uint64_t)n;
        }
    }
    return 1;
}

// Who is too far behind continues at the oldest message, after the rest of the one that was begun.
static void catch_up(struct client *c) {
    uint64_t oldest = starts[first_start % STARTS];
    if (next_start == 0 || c->cursor >= oldest) return;
    uint64_t end = boundary_after(c->cursor);
    if (end != c->cursor && !c->tail) {
        c->tail_length = end - c->cursor, c->tail_sent = 0;
        c->tail = malloc(c->tail_length);
        memcpy(c->tail, ring + c->cursor % CAPACITY, c->tail_length);
    }
    c->cursor = oldest;
}

static int read_client(struct client *c) {
    char skip[4096], response[256];
    for (;;) {
        ssize_t n = c->open ? recv(c->fd, skip, sizeof skip, MSG_DONTWAIT)
                            : recv(c->fd, c->head + c->head_length, 4095 - c->head_length, MSG_DONTWAIT);
        if (n < 0) return errno == EAGAIN;
        if (n == 0) return 0;
        if (c->open) continue; // subscribers say nothing that matters here
        c->head_length += (size_t)n;
        c->head[c->head_length] = 0;
        if (!strstr(c->head, "\r\n\r\n")) continue;
        size_t length = websocket_response(c->head, response, sizeof response);
        if (!length || !write_exactly(c->fd, response, length)) return 0;
        c->open = c->writable = 1, c->cursor = head;
        free(c->head), c->head = NULL;
    }
}

static void accept_clients(int listener, int epoll) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int one = 1, lowat = 128 * 1024;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
        if (client_count == MAX_CLIENTS) { close(fd); continue; }
        struct client *c = calloc(1, sizeof *c);
        c->fd = fd, c->head = malloc(4096);
        clients[client_count++] = c;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static uint8_t input[1 << 20];
static size_t input_length;

// Takes all whole frames out of the input; the first of a message is its topic, the second its body.
static void take_frames(void) {
    static int frame_index;
    size_t at = 0;
    while (input_length - at >= 2) {
        uint8_t flags = input[at];
        size_t header = flags & ZMTP_LONG ? 9 : 2;
        if (input_length - at < header) break;
        uint64_t length = flags & ZMTP_LONG ? load_be64(input + at + 1) : input[at + 1];
        if (length > sizeof input / 2) errno = EMSGSIZE, fail("frame");
        if (input_length - at < header + length) break;
        if (!(flags & ZMTP_COMMAND)) {
            if (frame_index == 1) append(input + at + header, length);
            frame_index = flags & ZMTP_MORE ? frame_index + 1 : 0;
        }
        at += header + length;
    }
    memmove(input, input + at, input_length -= at);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    raise_open_files();
    signal(SIGPIPE, SIG_IGN);
    map_ring();
    int source = connect_to_loopback(atoi(argv[1]));
    if (!zmtp_handshake(source, "SUB")) fail("zmtp_handshake");
    // SUBSCRIBE to everything, as a command (37/ZMTP 3.1).
    if (!write_exactly(source, "\4\12\11SUBSCRIBE", 12)) fail("subscribe");

    int port, listener = listen_on_loopback(&port), epoll = epoll_create1(EPOLL_CLOEXEC);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    int watched[] = {0, listener, source};
    for (int i = 0; i < 3; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &watched[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, watched[i], &event);
    }
    printf("ready %d\n", port);
    fflush(stdout);

    struct epoll_event events[1024];
    for (;;) {
        int count = epoll_wait(epoll, events, 1024, -1);
        uint64_t before = head;
        for (int i = 0; i < count; i++) {
            void *what = events[i].data.ptr;
            if (what == &watched[0]) {
                char skip[64];
                if (read(0, skip, sizeof skip) <= 0) return 0;
            } else if (what == &watched[1]) {
                accept_clients(listener, epoll);
            } else if (what == &watched[2]) {
                // At most a quarter of LIMIT a round, so that clients get their turn.
                size_t room = sizeof input - input_length;
                ssize_t n = recv(source, input + input_length, room < LIMIT / 4 ? room : LIMIT / 4, MSG_DONTWAIT);
                if (n == 0 || (n < 0 && errno != EAGAIN)) return 0;
                if (n > 0) input_length += (size_t)n, take_frames();
            } else {
                struct client *c = what;
                if (events[i].events & EPOLLOUT) c->writable = c->open;
                if (events[i].events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) c->gone = 1;
                else if ((events[i].events & EPOLLIN) && !read_client(c)) c->gone = 1;
                if (!c->gone && c->open) catch_up(c), c->gone = !send_waiting(c);
            }
        }
        for (int i = client_count - 1; i >= 0; i--) {
            struct client *c = clients[i];
            if (head != before && c->open && !c->gone) {
                catch_up(c);
                c->gone = !send_waiting(c);
            }
            if (c->gone) drop_client(i);
        }
    }
}
