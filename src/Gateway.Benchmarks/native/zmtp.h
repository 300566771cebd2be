// As much of ZMTP 3.1 (NULL mechanism) as a peer written by hand needs: greeting and READY, blocking.
#ifndef ZMTP_H
#define ZMTP_H
#include "common.h"

enum { ZMTP_MORE = 1, ZMTP_LONG = 2, ZMTP_COMMAND = 4 };

// Reads one frame's header; returns its flags, or -1 when the peer is gone.
static inline int zmtp_read_header(int fd, uint64_t *length) {
    uint8_t flags, octets[8];
    if (!read_exactly(fd, &flags, 1)) return -1;
    if (flags & ZMTP_LONG) {
        if (!read_exactly(fd, octets, 8)) return -1;
        *length = load_be64(octets);
    } else {
        if (!read_exactly(fd, octets, 1)) return -1;
        *length = octets[0];
    }
    return flags;
}

static inline int zmtp_handshake(int fd, const char *socket_type) {
    uint8_t greeting[64] = {0xFF, [9] = 0x7F, 3, 1, 'N', 'U', 'L', 'L'}, theirs[64], ready[64], skip[256];
    if (!write_exactly(fd, greeting, 64) || !read_exactly(fd, theirs, 64)) return 0;

    size_t type = strlen(socket_type), n = 2;
    memcpy(ready + n, "\5READY\13Socket-Type", 18), n += 18;
    uint32_t value_length = htonl((uint32_t)type);
    memcpy(ready + n, &value_length, 4), n += 4;
    memcpy(ready + n, socket_type, type), n += type;
    ready[0] = ZMTP_COMMAND, ready[1] = (uint8_t)(n - 2);
    if (!write_exactly(fd, ready, n)) return 0;

    uint64_t length;
    if (zmtp_read_header(fd, &length) != ZMTP_COMMAND || length > sizeof skip) return 0;
    return read_exactly(fd, skip, length) && !memcmp(skip, "\5READY", 6);
}
#endif
