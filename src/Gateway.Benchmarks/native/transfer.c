// One large HTTP transfer. transfer down|up PORT PATH BYTES: POSTs the number BYTES and reads that many bytes of body, or
// uploads that many and reads the short answer. Prints "bytes N seconds S" of what went the long way, or fails.
#include "common.h"

static char chunk[1 << 20];

// Reads the head; returns how many bytes of body came with it, which stand at the start of chunk.
static size_t read_head(int fd, long *content_length) {
    size_t got = 0;
    char *end = NULL;
    while (!end) {
        ssize_t n = recv(fd, chunk + got, 65535 - got, 0);
        if (n <= 0) fail("head");
        chunk[got += (size_t)n] = 0;
        end = memmem(chunk, got, "\r\n\r\n", 4);
    }
    if (memcmp(chunk + 9, "200", 3)) {
        fprintf(stderr, "transfer: %.400s\n", chunk);
        exit(1);
    }
    *end = 0;
    char *field = strcasestr(chunk, "\r\nContent-Length:");
    *content_length = field ? atol(field + 17) : -1;
    size_t rest = got - (size_t)(end + 4 - chunk);
    memmove(chunk, end + 4, rest);
    return rest;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int up = !strcmp(argv[1], "up"), fd = connect_to_loopback(atoi(argv[2]));
    uint64_t total = strtoull(argv[4], NULL, 10), moved = 0;
    char request[512];
    int64_t begin = now_ns();
    int n = snprintf(request, sizeof request,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/octet-stream\r\nContent-Length: %lu\r\n\r\n%s",
        argv[3], up ? (unsigned long)total : (unsigned long)strlen(argv[4]), up ? "" : argv[4]);
    if (!write_exactly(fd, request, (size_t)n)) fail("request");
    long content_length;
    if (up) {
        for (uint64_t left = total; left;) {
            size_t part = left < sizeof chunk ? left : sizeof chunk;
            if (!write_exactly(fd, chunk, part)) fail("upload");
            left -= part;
        }
        size_t rest = read_head(fd, &content_length);
        chunk[rest] = 0;
        moved = total;
    } else {
        // A body in chunks is longer by its chunks' headers; what counts is that no byte is missing.
        for (ssize_t part = (ssize_t)read_head(fd, &content_length); part > 0; part = recv(fd, chunk, sizeof chunk, 0)) moved += (uint64_t)part;
        if (moved < total || (content_length >= 0 && moved != total)) {
            fprintf(stderr, "transfer: %lu of %lu bytes\n", (unsigned long)moved, (unsigned long)total);
            return 1;
        }
        moved = total;
    }
    printf("bytes %lu seconds %.6f\n", (unsigned long)moved, (double)(now_ns() - begin) / 1e9);
    return 0;
}
