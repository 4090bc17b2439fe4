/*
 * The floor: what the kernel charges for the fan-out. It shakes hands and then, for every tick, calls send()
 * with one prebuilt frame for every client; nothing else. No server in any language delivers a frame
 * to each of N sockets with fewer instructions, short of batching system calls (io_uring).
 *
 *     floor PORT PAYLOAD_BYTES TICKS_PER_SECOND
 *
 * It speaks as much Socket.IO as bench/load.c needs: the 101 answer, the Engine.IO greeting, the answer to the
 * CONNECT packet. Whoever sends anything after that is subscribed. PAYLOAD_BYTES counts all of
 * `42["symbol_update",{...}]`; the payload carries the time of its tick as t_ns, from which latency is told.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { MAX_CLIENTS = 65536, EVENTS_AT_ONCE = 256 };

/* What a client is to send next. */
typedef enum { UPGRADE, CONNECT, SUBSCRIBE, SUBSCRIBED } stage;

static struct {
    stage stage;
    int place; /* in `subscribers` */
} clients[MAX_CLIENTS]; /* by descriptor */
static int subscribers[MAX_CLIENTS];
static int subscriber_count;
static int poller;

/* The accept value of the one key that load.c sends: the floor computes no SHA-1. */
static const char UPGRADED[] =
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char OPEN_PACKET[] = "0{\"sid\":\"f\",\"upgrades\":[],\"pingInterval\":600000,\"pingTimeout\":600000}";
static const char CONNECT_PACKET[] = "40{\"sid\":\"f\"}";

static void send_text(int client, const char *text) {
    unsigned char out[256];
    size_t length = strlen(text), header = write_header(out, length);
    memcpy(out + header, text, length);
    send(client, out, header + length, MSG_NOSIGNAL);
}

static void accept_all(int listener) {
    for (int client; (client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (client >= MAX_CLIENTS) {
            close(client);
            continue;
        }
        int on = 1;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event readable = {.events = EPOLLIN, .data.fd = client};
        epoll_ctl(poller, EPOLL_CTL_ADD, client, &readable);
        clients[client].stage = UPGRADE;
    }
}

static void forget(int client) {
    if (clients[client].stage == SUBSCRIBED) {
        int last = subscribers[--subscriber_count];
        subscribers[clients[client].place] = last;
        clients[last].place = clients[client].place;
    }
    clients[client].stage = UPGRADE;
    close(client);
}

/* Takes a client one stage on; what it says does not matter, only that it says something. */
static void hear(int client) {
    char ignored[4096];
    ssize_t got = recv(client, ignored, sizeof ignored, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        forget(client);
        return;
    }
    if (got < 0) return;
    switch (clients[client].stage) {
    case UPGRADE:
        send(client, UPGRADED, sizeof UPGRADED - 1, MSG_NOSIGNAL);
        send_text(client, OPEN_PACKET);
        clients[client].stage = CONNECT;
        break;
    case CONNECT:
        send_text(client, CONNECT_PACKET);
        clients[client].stage = SUBSCRIBE;
        break;
    case SUBSCRIBE:
        clients[client].stage = SUBSCRIBED;
        clients[client].place = subscriber_count;
        subscribers[subscriber_count++] = client;
        break;
    case SUBSCRIBED:
        break;
    }
}

/* One frame for everybody: PAYLOAD_BYTES of text with the present time in it. */
static size_t build_frame(unsigned char *out, size_t payload_bytes) {
    static const char END[] = "\"}]";
    size_t header = write_header(out, payload_bytes);
    char *text = (char *)out + header;
    int start = snprintf(text, payload_bytes, "42[\"symbol_update\",{\"t_ns\":%jd,\"x\":\"", (intmax_t)clock_ns(CLOCK_REALTIME));
    size_t filler_end = payload_bytes - (sizeof END - 1);
    memset(text + start, 'x', filler_end - (size_t)start);
    memcpy(text + filler_end, END, sizeof END - 1);
    return header + payload_bytes;
}

static void fan_out(const unsigned char *bytes, size_t size) {
    for (int i = 0; i < subscriber_count; i++) send(subscribers[i], bytes, size, MSG_NOSIGNAL);
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
        die("cannot listen on port %d: %s", port, strerror(errno));
    struct epoll_event readable = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &readable);
    return listener;
}

int main(int count, char **arguments) {
    if (count != 4) die("usage: floor PORT PAYLOAD_BYTES TICKS_PER_SECOND");
    size_t payload_bytes = strtoul(arguments[2], NULL, 10);
    int64_t interval_ns = (int64_t)(1e9 / strtod(arguments[3], NULL));
    if (payload_bytes < 80) die("the payload must have at least 80 bytes, was %zu", payload_bytes);
    raise_descriptor_limit(64);
    poller = epoll_create1(0);
    int listener = listen_on(atoi(arguments[1]));
    unsigned char *bytes = malloc(payload_bytes + LONGEST_HEADER);
    printf("listening\n");
    fflush(stdout);
    int64_t due_ns = clock_ns(CLOCK_MONOTONIC) + interval_ns;
    for (;;) {
        struct epoll_event events[EVENTS_AT_ONCE];
        int64_t wait_ns = due_ns - clock_ns(CLOCK_MONOTONIC);
        /* rounded up: waking early would spin */
        int ready = epoll_wait(poller, events, EVENTS_AT_ONCE, wait_ns > 0 ? (int)((wait_ns + 999999) / 1000000) : 0);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) accept_all(listener);
            else hear(events[i].data.fd);
        }
        int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        if (now_ns < due_ns) continue;
        fan_out(bytes, build_frame(bytes, payload_bytes));
        due_ns += interval_ns;
        if (due_ns < now_ns) due_ns = now_ns + interval_ns;
    }
}
