// A swarm of WebSocket clients in one thread.
// swarm PORT PATH CLIENTS TOPICS_EACH: connects them all, each with its own "?topic=" values when TOPICS_EACH is above 0,
// prints "ready". "go" begins a measurement, "stop" ends it and prints
// "seconds S messages N bytes N p50_us N p99_us N clients N": what came in between, with the age of the messages that begin
// with a clock (pub.c). Clients that were closed by the server are missing from the last figure.
#include "common.h"

enum { AT_HEADER, AT_BODY };

struct client {
    int fd, upgraded;
    uint8_t header[10], clock[8], control[131];
    uint8_t header_length, opcode, clock_length;
    int state;
    uint64_t length, seen;
    uint32_t matched; // of "\r\n\r\n"
};

// Ages in buckets of 1/16 of a power of two.
static uint64_t ages[64 * 16], messages, bytes;
static int measuring, alive;

static void count_age(int64_t age_ns) {
    uint64_t age = age_ns < 16 ? 16 : (uint64_t)age_ns;
    int power = 63 - __builtin_clzll(age);
    ages[power * 16 + (int)(age >> (power - 4) & 15)]++;
}

static double percentile_us(double share) {
    uint64_t total = 0, sum = 0;
    for (int i = 0; i < 64 * 16; i++) total += ages[i];
    for (int i = 0; i < 64 * 16; i++) {
        sum += ages[i];
        if (total && (double)sum >= share * (double)total) return (double)((16ULL + (uint64_t)i % 16) << (i / 16 - 4)) / 1000;
    }
    return 0;
}

static void pong(struct client *c) {
    uint8_t frame[131] = {0x8A, (uint8_t)(0x80 | c->length)}; // a mask of zeros leaves the payload as it is
    memcpy(frame + 6, c->control, c->length);
    if (send(c->fd, frame, 6 + c->length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) c->upgraded = 0;
}

static void end_of_frame(struct client *c, int64_t now) {
    if (c->opcode == 0x89) {
        pong(c);
    } else if ((c->opcode & 0x0F) <= 2 && measuring) {
        messages++;
        bytes += c->length;
        // Every message when there are few, one of 64 in a flood.
        if (c->clock_length == 8 && (messages < 100000 || messages % 64 == 0)) {
            int64_t sent;
            memcpy(&sent, c->clock, 8);
            count_age(now - sent);
        }
    }
}

static void parse(struct client *c, const uint8_t *data, size_t length, int64_t now) {
    for (size_t at = 0; at < length;) {
        if (c->state == AT_HEADER) {
            c->header[c->header_length++] = data[at++];
            if (c->header_length < 2) continue;
            uint8_t small = c->header[1], needed = small == 126 ? 4 : small == 127 ? 10 : 2;
            if (c->header_length < needed) continue;
            c->opcode = c->header[0];
            c->length = small == 126 ? (uint64_t)c->header[2] << 8 | c->header[3] : small == 127 ? load_be64(c->header + 2) : small;
            c->header_length = c->clock_length = 0, c->seen = 0, c->state = AT_BODY;
            if (c->length) continue;
        } else {
            size_t part = length - at < c->length - c->seen ? length - at : (size_t)(c->length - c->seen);
            // The clock is the body's first eight bytes, in however many parts they come.
            for (; c->clock_length < 8 && c->clock_length < c->seen + part; c->clock_length++)
                c->clock[c->clock_length] = data[at + c->clock_length - c->seen];
            if ((c->opcode & 8) && c->seen + part <= sizeof c->control) memcpy(c->control + c->seen, data + at, part);
            c->seen += part, at += part;
            if (c->seen < c->length) continue;
        }
        end_of_frame(c, now);
        c->state = AT_HEADER;
    }
}

static void read_client(struct client *c) {
    static uint8_t buffer[256 * 1024];
    ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        close(c->fd);
        alive--;
        return;
    }
    size_t at = 0;
    while (!c->upgraded && at < (size_t)n) {
        c->matched = buffer[at] == "\r\n\r\n"[c->matched] ? c->matched + 1 : buffer[at] == '\r';
        at++;
        if (c->matched == 4) c->upgraded = 1;
    }
    if (c->upgraded) parse(c, buffer + at, (size_t)n - at, now_ns());
}

static int connect_client(int index, int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    // 5,000 clients for each source address: ports of connections that have just ended stay taken for a minute.
    struct sockaddr_in from = loopback(0), to = loopback(port);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)index / 5000);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) || connect(fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void ask_for_upgrade(int fd, const char *path, int index, int topics_each) {
    char request[8192];
    int n = snprintf(request, sizeof request, "GET %s", path);
    for (int i = 0; i < topics_each; i++) {
        n += snprintf(request + n, sizeof request - (size_t)n, "%ctopic=t%05d", i ? '&' : '?', index * topics_each + i);
    }
    n += snprintf(request + n, sizeof request - (size_t)n,
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    if (!write_exactly(fd, request, (size_t)n)) fail("request");
}

// The response must be a 101: anything else is the server's refusal, and worth reading.
static void check_upgrade(int fd) {
    char begin[512] = {0};
    ssize_t n = recv(fd, begin, sizeof begin - 1, MSG_PEEK);
    if (n < 12 || memcmp(begin + 9, "101", 3)) {
        fprintf(stderr, "swarm: no upgrade: %.*s\n", (int)(n > 0 ? n : 0), begin);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    raise_open_files();
    int port = atoi(argv[1]), count = atoi(argv[3]), topics_each = atoi(argv[4]), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct client *clients = calloc((size_t)count, sizeof *clients);
    for (int i = 0; i < count; i++) {
        clients[i].fd = connect_client(i, port);
        ask_for_upgrade(clients[i].fd, argv[2], i, topics_each);
        // One at a time: a burst of thousands would measure the accept queue.
        check_upgrade(clients[i].fd);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event);
    }
    alive = count;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
    printf("ready\n");
    fflush(stdout);

    int64_t begin = 0;
    struct epoll_event events[512];
    for (;;) {
        int ready = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr) {
                read_client(events[i].data.ptr);
                continue;
            }
            char line[64] = {0};
            if (read(0, line, sizeof line - 1) <= 0) return 0;
            if (!strncmp(line, "go", 2)) {
                memset(ages, 0, sizeof ages);
                messages = bytes = 0, measuring = 1, begin = now_ns();
            } else if (!strncmp(line, "stop", 4)) {
                measuring = 0;
                printf("seconds %.6f messages %lu bytes %lu p50_us %.1f p99_us %.1f clients %d\n", (double)(now_ns() - begin) / 1e9,
                    (unsigned long)messages, (unsigned long)bytes, percentile_us(0.5), percentile_us(0.99), alive);
                fflush(stdout);
            }
        }
    }
}
