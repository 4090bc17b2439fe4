/*
 * The load driver: opens Socket.IO connections (Engine.IO v4 over WebSocket), subscribes, counts what
 * arrives and how late, and prints one line of JSON. It also reads the server's CPU clock and memory at the
 * moments that matter, so that figures and frames are of exactly the same window.
 *
 *     load --port 5000 --clients 1000 --seconds 5 --emit '["subscribe_symbol",{"symbol":"NIFTY"}]'
 *
 * --host ADDRESS     numeric IPv4 address (127.0.0.1)
 * --port PORT
 * --clients N        (1)
 * --seconds S        length of the window, after everybody is connected and --settle has passed (5)
 * --settle S         (1.5)
 * --emit JSON        an event to send once connected; may be repeated. %s is replaced by an item of --list,
 *                    item i mod M for client i; %d by the client's number
 * --list A,B,C       M items
 * --deflate          offer permessage-deflate as browsers do
 * --addresses A      connect from 127.0.0.1 … 127.0.0.A (1)
 * --in-flight N      connections being opened at once (200)
 * --stalled K        the first K clients read nothing after subscribing and have small receive buffers
 * --vanish-at S      so long after the window began, reset all connections at once …
 * --survivors K      … but the last K
 * --pid PID          the server's process, for its CPU time and memory
 * --relative S       tell latency beyond that of the quickest frame; the market's clock runs at S times ours
 *
 * Latency is the wall clock now less the time in the payload: `t_ns` of the peers' servers, stamped before the
 * first send of a tick; `as_of` of ours, which is the instant of the market's grid that the update belongs to,
 * so that it includes the server's late waking (up to 10 ms) and the market's own step. Where the market's clock
 * is a virtual one the two clocks differ by a constant, once its pace is taken out: --relative takes the smallest
 * difference seen in the run for zero, so that late ticks and slow fan-out count and only what every frame needs does not. A
 * frame whose time is not newer than that of the client's frame before (a heartbeat) has no latency, nor has
 * a compressed one: it is counted, not inflated. The driver looks for frames every half millisecond.
 *
 * Progress goes to stderr, a word and a number a line: ready, window, vanished, done.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tally.h"

enum { MAX_EMITS = 128, MAX_LIST = 4096, EVENTS_AT_ONCE = 512, READ_BYTES = 1 << 20 };
enum { STALLED_RECEIVE_BYTES = 4096, CONNECT_PATIENCE_S = 180, COMPRESSED_PING_BYTES = 8, NAP_NS = 500000 };

/* What a client waits for next. */
typedef enum { CONNECTING, UPGRADE, OPEN_PACKET, CONNECT_PACKET, READING, STALLED, GONE } stage;

typedef struct {
    int descriptor;
    stage stage;
    unsigned char *kept; /* the beginning of a frame whose rest has not arrived */
    size_t kept_bytes;
    int64_t frames, last_frame_ns, longest_gap_ns; /* within the window */
    int64_t newest_ns; /* the latest time that a payload carried */
} client;

/* The server at one moment: CPU time, time it waited for its core, which others used, and memory. */
typedef struct {
    double cpu_s, waited_s;
    int64_t resident_bytes;
} usage;

static struct {
    struct sockaddr_in server;
    int clients, stalled, survivors, in_flight, addresses, deflate, emit_count, list_count;
    double relative; /* the pace of the market's clock, 0 where it is ours */
    double seconds, settle_s, vanish_at_s;
    const char *emits[MAX_EMITS];
    char *list[MAX_LIST];
    pid_t pid;
} options = {.clients = 1, .in_flight = 200, .addresses = 1, .seconds = 5, .settle_s = 1.5, .vanish_at_s = -1};

static client *clients;
static int poller;
static int opening, ready, refused, closed; /* clients by fate; `closed` by the server */
static int measuring, vanished;
static int64_t window_began_ns, wire_bytes;
static int64_t clocks_differ_ns; /* with --relative: about, so that the histogram has the range */
static tally arrived;
static histogram latency, latency_after;
static unsigned char *scratch; /* what is being read, the client's kept bytes in front */
static size_t scratch_size;

/* ---- the server's process ---- */

static double server_number(const char *file, const char *format) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)options.pid, file);
    FILE *opened = fopen(path, "r");
    double number = 0;
    if (opened && fscanf(opened, format, &number) != 1) number = 0;
    if (opened) fclose(opened);
    return number;
}

static usage server_usage(void) {
    usage now = {0, 0, 0};
    clockid_t cpu_clock;
    if (!options.pid || clock_getcpuclockid(options.pid, &cpu_clock)) return now;
    now.cpu_s = (double)clock_ns(cpu_clock) / 1e9; /* utime + stime of /proc/PID/stat, but in ns */
    now.waited_s = server_number("schedstat", "%*d %lf") / 1e9; /* of the main thread: the event loop's */
    now.resident_bytes = (int64_t)server_number("statm", "%*d %lf") * sysconf(_SC_PAGESIZE);
    return now;
}

/* ---- one client ---- */

static void watch(int number, int operation, uint32_t events) {
    struct epoll_event wanted = {.events = events, .data.u32 = (uint32_t)number};
    epoll_ctl(poller, operation, clients[number].descriptor, &wanted);
}

static void end(client *ended, int *fate) {
    if (ended->stage < READING) opening--;
    ended->stage = GONE;
    close(ended->descriptor);
    free(ended->kept);
    ended->kept = NULL;
    ended->kept_bytes = 0;
    (*fate)++;
}

static void begin(int number) {
    client *begun = &clients[number];
    int on = 1, small = STALLED_RECEIVE_BYTES;
    begun->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (begun->descriptor < 0) die("socket: %s", strerror(errno));
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number % options.addresses));
    setsockopt(begun->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(begun->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (number < options.stalled) setsockopt(begun->descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (bind(begun->descriptor, (struct sockaddr *)&own, sizeof own)) die("bind: %s", strerror(errno));
    int failed = connect(begun->descriptor, (struct sockaddr *)&options.server, sizeof options.server);
    if (failed && errno != EINPROGRESS) die("connect: %s", strerror(errno));
    begun->stage = CONNECTING;
    opening++;
    watch(number, EPOLL_CTL_ADD, EPOLLOUT);
}

static void send_all(client *to, const void *bytes, size_t length) {
    if (send(to->descriptor, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) end(to, &closed);
}

static void send_text(client *to, const char *text, size_t length) {
    unsigned char *out = malloc(length + LONGEST_HEADER);
    send_all(to, out, write_masked(out, text, length));
    free(out);
}

static void ask_for_upgrade(int number) {
    char request[512];
    int length = snprintf(
        request, sizeof request,
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
        ntohs(options.server.sin_port),
        options.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "");
    clients[number].stage = UPGRADE;
    watch(number, EPOLL_CTL_MOD, EPOLLIN);
    send_all(&clients[number], request, (size_t)length);
}

/* Sends one event, with %s and %d replaced. */
static void emit(int number, const char *event) {
    char text[4096];
    size_t length = (size_t)snprintf(text, sizeof text, "42");
    for (const char *at = event; *at && length < sizeof text - 64; at++) {
        if (at[0] == '%' && at[1] == 'd') {
            length += (size_t)snprintf(text + length, sizeof text - length, "%d", number);
            at++;
        } else if (at[0] == '%' && at[1] == 's' && options.list_count) {
            const char *item = options.list[number % options.list_count];
            length += (size_t)snprintf(text + length, sizeof text - length, "%.60s", item);
            at++;
        } else {
            text[length++] = *at;
        }
    }
    send_text(&clients[number], text, length);
}

static void subscribe(int number) {
    client *begun = &clients[number];
    begun->stage = number < options.stalled ? STALLED : READING;
    opening--;
    ready++;
    if (begun->stage == STALLED) watch(number, EPOLL_CTL_MOD, EPOLLRDHUP);
    for (int i = 0; i < options.emit_count && begun->stage != GONE; i++) emit(number, options.emits[i]);
}

static void take_event(client *from, const frame *got, int64_t now_ns) {
    if (!measuring) return;
    count_event(&arrived, got);
    int64_t gap_ns = now_ns - (from->frames++ ? from->last_frame_ns : window_began_ns);
    if (gap_ns > from->longest_gap_ns) from->longest_gap_ns = gap_ns;
    from->last_frame_ns = now_ns;
    int64_t sent_ns = got->compressed ? 0 : time_in(got);
    if (sent_ns <= from->newest_ns) return;
    from->newest_ns = sent_ns;
    int64_t paced_ns = options.relative > 0 ? (int64_t)((long double)sent_ns / options.relative) : sent_ns;
    int64_t late_ns = clock_ns(CLOCK_REALTIME) - paced_ns;
    if (options.relative > 0 && !latency.count) clocks_differ_ns = late_ns;
    record(vanished ? &latency_after : &latency, late_ns - clocks_differ_ns);
}

/* Engine.IO's ping is the text "2"; compressed it is a few bytes, which no event is. */
static int is_ping(const frame *got) {
    return got->compressed ? got->length <= COMPRESSED_PING_BYTES : got->length == 1 && got->payload[0] == '2';
}

static void take_frame(int number, const frame *got, int64_t now_ns) {
    client *from = &clients[number];
    const char *text = (const char *)got->payload;
    if (got->opcode == CLOSE_OPCODE) {
        end(from, &closed);
    } else if (from->stage == OPEN_PACKET) {
        from->stage = CONNECT_PACKET;
        send_text(from, "40", 2);
    } else if (from->stage == CONNECT_PACKET && !got->compressed && got->length > 1 && text[1] == '4') {
        if (!refused) fprintf(stderr, "refused %.*s\n", (int)got->length, text);
        end(from, &refused);
    } else if (from->stage == CONNECT_PACKET) {
        subscribe(number);
    } else if (is_ping(got)) {
        send_text(from, "3", 1);
    } else {
        take_event(from, got, now_ns);
    }
}

/* Consumes the answer to the upgrade at the start of `scratch`; returns its size, 0 while incomplete. */
static size_t take_upgrade(client *from, size_t length) {
    unsigned char *blank = memmem(scratch, length, "\r\n\r\n", 4);
    if (!blank) return 0;
    if (memcmp(scratch, "HTTP/1.1 101", 12)) {
        if (!refused) fprintf(stderr, "refused %.*s\n", (int)(length < 300 ? length : 300), scratch);
        end(from, &refused);
        return 0;
    }
    from->stage = OPEN_PACKET;
    return (size_t)(blank + 4 - scratch);
}

static void keep(client *from, const unsigned char *rest, size_t length) {
    if (length > from->kept_bytes || !length) {
        free(from->kept);
        from->kept = length ? malloc(length) : NULL;
    }
    if (length) memcpy(from->kept, rest, length);
    from->kept_bytes = length;
}

static void hear(int number, int64_t now_ns) {
    client *from = &clients[number];
    size_t length = from->kept_bytes;
    if (scratch_size < length + READ_BYTES + 1) scratch = realloc(scratch, scratch_size = length + READ_BYTES + 1);
    if (length) memcpy(scratch, from->kept, length);
    ssize_t got = recv(from->descriptor, scratch + length, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        end(from, &closed);
        return;
    }
    if (measuring) wire_bytes += got;
    length += (size_t)got;
    scratch[length] = 0;
    size_t used = from->stage == UPGRADE ? take_upgrade(from, length) : 0;
    frame next;
    while (from->stage > UPGRADE && from->stage < GONE && read_frame(scratch + used, length - used, &next)) {
        used += next.size;
        take_frame(number, &next, now_ns);
    }
    if (from->stage != GONE) keep(from, scratch + used, length - used);
}

static void turn(int number, uint32_t events, int64_t now_ns) {
    client *it = &clients[number];
    if (it->stage == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(it->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) end(it, &refused);
        else ask_for_upgrade(number);
    } else if (it->stage == STALLED) {
        if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) end(it, &closed);
    } else if (it->stage != GONE) {
        hear(number, now_ns);
    }
}

/* ---- the run ---- */

/*
 * Handles what has arrived, and naps when nothing has. Blocking in epoll_wait would make a server pay, inside
 * each send(), for waking the driver: the slower the server, the more often, which no network does to it.
 */
static void serve(void) {
    static const struct timespec NAP = {.tv_nsec = NAP_NS};
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(poller, events, EVENTS_AT_ONCE, 0);
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) turn((int)events[i].data.u32, events[i].events, now_ns);
    if (count < EVENTS_AT_ONCE) nanosleep(&NAP, NULL);
}

static void progress(const char *word, double number) {
    fprintf(stderr, "%s %.3f\n", word, number);
}

static void connect_all(void) {
    int64_t deadline_ns = clock_ns(CLOCK_MONOTONIC) + CONNECT_PATIENCE_S * INT64_C(1000000000);
    int next = 0;
    while (ready + refused + closed < options.clients) {
        while (next < options.clients && opening < options.in_flight) begin(next++);
        serve();
        if (clock_ns(CLOCK_MONOTONIC) > deadline_ns)
            die("after %d s only %d of %d clients are connected", CONNECT_PATIENCE_S, ready, options.clients);
    }
}

static void serve_until(int64_t until_ns) {
    while (clock_ns(CLOCK_MONOTONIC) < until_ns) serve();
}

/* Resets connections as a cut network or a crashed proxy does: no closing handshake. */
static void vanish(void) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int gone = 0;
    for (int i = 0; i < options.clients - options.survivors; i++) {
        if (clients[i].stage == GONE) continue;
        setsockopt(clients[i].descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        end(&clients[i], &gone);
    }
    vanished = gone;
    progress("vanished", gone);
}

static void measure(void) {
    measuring = 1;
    window_began_ns = clock_ns(CLOCK_MONOTONIC);
    if (options.vanish_at_s >= 0) {
        serve_until(window_began_ns + (int64_t)(options.vanish_at_s * 1e9));
        vanish();
    }
    serve_until(window_began_ns + (int64_t)(options.seconds * 1e9));
    measuring = 0;
}

/* ---- the report ---- */

static int ascending(const void *one, const void *other) {
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

/* The most frames that any client of each list item (all clients, if there is no list) got. */
static int64_t *best_served(void) {
    int64_t *most = calloc(MAX_LIST, sizeof *most);
    for (int i = 0; i < options.clients; i++) {
        int64_t *best = &most[options.list_count ? i % options.list_count : 0];
        if (clients[i].frames > *best) *best = clients[i].frames;
    }
    return most;
}

/*
 * Of clients that read to the end: frames, the longest time without one, and how many got at least two frames
 * fewer than somebody with the same subscription (one may fall on the edge of the window).
 */
static void print_service(int64_t window_ends_ns) {
    int64_t *most = best_served(), *gaps = malloc(sizeof *gaps * (size_t)options.clients), fewest = INT64_MAX;
    int count = 0, unserved = 0, deprived = 0;
    for (int i = 0; i < options.clients; i++) {
        client *it = &clients[i];
        if (it->stage != READING) continue;
        int64_t final_gap_ns = window_ends_ns - (it->frames ? it->last_frame_ns : window_began_ns);
        gaps[count++] = final_gap_ns > it->longest_gap_ns ? final_gap_ns : it->longest_gap_ns;
        unserved += !it->frames;
        deprived += it->frames + 1 < most[options.list_count ? i % options.list_count : 0];
        if (it->frames < fewest) fewest = it->frames;
    }
    qsort(gaps, (size_t)count, sizeof *gaps, ascending);
    printf("\"service\":{\"clients\":%d,\"unserved\":%d,\"deprived\":%d,\"fewest_frames\":%jd,"
           "\"gap_p99_ms\":%.1f,\"gap_max_ms\":%.1f}",
           count, unserved, deprived, (intmax_t)(count ? fewest : 0),
           count ? (double)gaps[(size_t)(0.99 * (count - 1))] / 1e6 : -1.0,
           count ? (double)gaps[count - 1] / 1e6 : -1.0);
    free(gaps);
    free(most);
}

static void print_usage(const char *name, usage at) {
    printf("\"%s\":{\"cpu_s\":%.6f,\"waited_s\":%.6f,\"resident_bytes\":%jd}", name, at.cpu_s, at.waited_s,
           (intmax_t)at.resident_bytes);
}

static void run(void) {
    usage at_start = server_usage();
    int64_t began_ns = clock_ns(CLOCK_MONOTONIC);
    connect_all();
    double connect_s = (double)(clock_ns(CLOCK_MONOTONIC) - began_ns) / 1e9;
    usage at_ready = server_usage();
    progress("ready", ready);
    serve_until(clock_ns(CLOCK_MONOTONIC) + (int64_t)(options.settle_s * 1e9));
    usage at_window = server_usage();
    int64_t own_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    progress("window", options.seconds);
    measure();
    usage at_end = server_usage();
    int64_t ended_ns = clock_ns(CLOCK_MONOTONIC);
    double window_s = (double)(ended_ns - window_began_ns) / 1e9;
    double own_load = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own_cpu_ns) / 1e9 / window_s;
    progress("done", window_s);

    int64_t frames = 0, payload_bytes = 0;
    for (int i = 0; i < arrived.count; i++) frames += arrived.events[i].frames, payload_bytes += arrived.events[i].bytes;
    printf("{\"clients\":%d,\"ready\":%d,\"refused\":%d,\"closed\":%d,\"vanished\":%d,\"connect_s\":%.4f,"
           "\"window_s\":%.4f,\"driver_load\":%.3f,\"frames\":%jd,\"payload_bytes\":%jd,\"wire_bytes\":%jd,",
           options.clients, ready, refused, closed, vanished, connect_s, window_s, own_load, (intmax_t)frames,
           (intmax_t)payload_bytes, (intmax_t)wire_bytes);
    print_events(&arrived), printf(",");
    int64_t zero_ns = options.relative > 0 ? latency.least_ns : 0;
    print_histogram("latency_ms", &latency, zero_ns), printf(",");
    print_histogram("latency_after_vanish_ms", &latency_after, zero_ns), printf(",");
    print_service(ended_ns), printf(",\"server\":{");
    print_usage("start", at_start), printf(",");
    print_usage("ready", at_ready), printf(",");
    print_usage("window", at_window), printf(",");
    print_usage("end", at_end), printf("}}\n");
}

/* ---- the command line ---- */

static void split_list(char *text) {
    for (char *item = strtok(text, ","); item && options.list_count < MAX_LIST; item = strtok(NULL, ","))
        options.list[options.list_count++] = item;
}

static int number_of(const char *text, int least) {
    char *rest;
    long number = strtol(text, &rest, 10);
    if (*rest || number < least || number > 1000000) die("a whole number from %d is needed, was %s", least, text);
    return (int)number;
}

static void parse(int count, char **arguments) {
    static const struct option NAMES[] = {
        {"host", 1, 0, 'h'},     {"port", 1, 0, 'p'},      {"clients", 1, 0, 'n'},   {"seconds", 1, 0, 's'},
        {"settle", 1, 0, 't'},   {"emit", 1, 0, 'e'},      {"list", 1, 0, 'l'},      {"deflate", 0, 0, 'd'},
        {"addresses", 1, 0, 'a'}, {"in-flight", 1, 0, 'f'}, {"stalled", 1, 0, 'k'},  {"vanish-at", 1, 0, 'v'},
        {"survivors", 1, 0, 'u'}, {"pid", 1, 0, 'i'},      {"relative", 1, 0, 'r'}, {0, 0, 0, 0},
    };
    options.server = (struct sockaddr_in){.sin_family = AF_INET};
    options.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int name; (name = getopt_long(count, arguments, "", NAMES, NULL)) != -1;) {
        switch (name) {
        case 'h':
            if (inet_pton(AF_INET, optarg, &options.server.sin_addr) != 1) die("not an IPv4 address: %s", optarg);
            break;
        case 'p': options.server.sin_port = htons((uint16_t)number_of(optarg, 1)); break;
        case 'n': options.clients = number_of(optarg, 1); break;
        case 's': options.seconds = strtod(optarg, NULL); break;
        case 't': options.settle_s = strtod(optarg, NULL); break;
        case 'e':
            if (options.emit_count == MAX_EMITS) die("at most %d events", MAX_EMITS);
            options.emits[options.emit_count++] = optarg;
            break;
        case 'l': split_list(optarg); break;
        case 'd': options.deflate = 1; break;
        case 'a': options.addresses = number_of(optarg, 1); break;
        case 'f': options.in_flight = number_of(optarg, 1); break;
        case 'k': options.stalled = number_of(optarg, 0); break;
        case 'v': options.vanish_at_s = strtod(optarg, NULL); break;
        case 'u': options.survivors = number_of(optarg, 0); break;
        case 'i': options.pid = number_of(optarg, 1); break;
        case 'r': options.relative = atof(optarg); break;
        default: die("see the head of bench/load.c for the options");
        }
    }
    if (optind < count || !options.server.sin_port) die("--port is needed, and nothing but options");
}

int main(int count, char **arguments) {
    parse(count, arguments);
    raise_descriptor_limit((size_t)options.clients + 16);
    clients = calloc((size_t)options.clients, sizeof *clients);
    poller = epoll_create1(0);
    run();
    return ready == options.clients ? 0 : 3;
}
