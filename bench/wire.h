/* WebSocket framing (RFC 6455), options and clocks: what the load driver and the floor have in common. */
#ifndef WIRE_H
#define WIRE_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { TEXT_OPCODE = 1, BINARY_OPCODE = 2, CLOSE_OPCODE = 8 };
enum { LONGEST_HEADER = 14, COMPRESSED_BIT = 0x40, MASKED_BIT = 0x80, FIN_BIT = 0x80 };

typedef struct {
    int opcode;
    int compressed; /* RSV1: permessage-deflate, RFC 7692 */
    int masked;
    const unsigned char *payload; /* still masked if `masked`: the four bytes before it are the mask */
    size_t length;
    size_t size; /* header and payload */
} frame;

static inline int64_t clock_ns(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static inline void die(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    exit(1);
}

/* Reads the frame at the start of `data`; returns 0 while it is incomplete. */
static inline int read_frame(const unsigned char *data, size_t length, frame *found) {
    if (length < 2) return 0;
    size_t header = 2;
    uint64_t payload = data[1] & 127;
    size_t wide = payload == 126 ? 2 : payload == 127 ? 8 : 0;
    if (wide) {
        if (length < header + wide) return 0;
        payload = 0;
        for (size_t i = 0; i < wide; i++) payload = payload << 8 | data[header + i];
        header += wide;
    }
    found->masked = (data[1] & MASKED_BIT) != 0;
    header += found->masked ? 4 : 0;
    if (length < header + payload) return 0;
    found->opcode = data[0] & 15;
    found->compressed = (data[0] & COMPRESSED_BIT) != 0;
    found->payload = data + header;
    found->length = payload;
    found->size = header + payload;
    return 1;
}

/* Writes an unmasked header for a text of `length` bytes; returns the header's size. */
static inline size_t write_header(unsigned char *out, size_t length) {
    out[0] = FIN_BIT | TEXT_OPCODE;
    if (length < 126) {
        out[1] = (unsigned char)length;
        return 2;
    }
    size_t wide = length < 65536 ? 2 : 8;
    out[1] = wide == 2 ? 126 : 127;
    for (size_t i = 0; i < wide; i++) out[2 + i] = (unsigned char)((uint64_t)length >> 8 * (wide - 1 - i));
    return 2 + wide;
}

/* Writes a text frame as clients must, masked; returns its size. `out` holds length + LONGEST_HEADER. */
static inline size_t write_masked(unsigned char *out, const char *text, size_t length) {
    static const unsigned char mask[4] = {0x5a, 0x17, 0xc3, 0x88};
    size_t header = write_header(out, length);
    out[1] |= MASKED_BIT;
    memcpy(out + header, mask, sizeof mask);
    header += sizeof mask;
    for (size_t i = 0; i < length; i++) out[header + i] = (unsigned char)text[i] ^ mask[i & 3];
    return header + length;
}

/* As many descriptors as the process may have: thousands of sockets need them. */
static inline void raise_descriptor_limit(size_t needed) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < needed)
        die("%zu descriptors are needed, the hard limit is %ju (ulimit -Hn)", needed, (uintmax_t)limit.rlim_cur);
}

static inline void unblock(int descriptor) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

#endif
