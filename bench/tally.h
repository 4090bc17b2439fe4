/* What arrived: frames and bytes by event name, and a histogram of latencies. */
#ifndef TALLY_H
#define TALLY_H

#include "wire.h"

enum { MAX_EVENTS = 32, LONGEST_NAME = 40 };
enum { BUCKET_NS = 100000, BUCKETS = 400000, FIRST_BUCKET = 100000 }; /* steps of 0.1 ms, from -10 s to 30 s */

typedef struct {
    char name[LONGEST_NAME];
    int64_t frames, bytes, shortest, longest;
} event_tally;

typedef struct {
    event_tally events[MAX_EVENTS];
    int count;
} tally;

typedef struct {
    uint32_t bucket[BUCKETS];
    int64_t count, least_ns, longest_ns;
} histogram;

/* Counts a Socket.IO event of the default namespace under its name, anything else under a heading. */
static inline void count_event(tally *all, const frame *got) {
    static const char EVENT[] = "42[\"";
    const char *name = got->compressed ? "(compressed)" : "(other)", *text = (const char *)got->payload;
    size_t length = strlen(name);
    if (!got->compressed && got->length > sizeof EVENT && !memcmp(text, EVENT, sizeof EVENT - 1)) {
        const char *begin = text + sizeof EVENT - 1;
        const char *end = memchr(begin, '"', got->length - (sizeof EVENT - 1));
        if (end && end - begin < LONGEST_NAME) {
            name = begin;
            length = (size_t)(end - begin);
        }
    }
    int i = 0;
    while (i < all->count && (strncmp(all->events[i].name, name, length) || all->events[i].name[length])) i++;
    if (i == MAX_EVENTS) return;
    event_tally *event = &all->events[i];
    int64_t bytes = (int64_t)got->length;
    if (i == all->count) {
        all->count++;
        memcpy(event->name, name, length);
        event->shortest = bytes;
    }
    event->frames++;
    event->bytes += bytes;
    if (bytes < event->shortest) event->shortest = bytes;
    if (bytes > event->longest) event->longest = bytes;
}

static inline void record(histogram *all, int64_t latency_ns) {
    int64_t bucket = latency_ns / BUCKET_NS + FIRST_BUCKET;
    if (bucket < 0) bucket = 0;
    all->bucket[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (!all->count || latency_ns < all->least_ns) all->least_ns = latency_ns;
    if (!all->count || latency_ns > all->longest_ns) all->longest_ns = latency_ns;
    all->count++;
}

/* The upper edge of the bucket that holds the share, in milliseconds. */
static inline double percentile_ms(const histogram *all, double share) {
    int64_t below = 0, wanted = (int64_t)(share * (double)all->count);
    int i = 0;
    while (i < BUCKETS - 1 && (below += all->bucket[i]) <= wanted) i++;
    return (i + 1 - FIRST_BUCKET) * (BUCKET_NS / 1e6);
}

/* Latencies in milliseconds, counted from `zero_ns`; -1 where there are none. */
static inline void print_histogram(const char *name, const histogram *all, int64_t zero_ns) {
    double zero_ms = (double)zero_ns / 1e6;
    if (!all->count) {
        printf("\"%s\":{\"count\":0,\"p50\":-1,\"p99\":-1,\"max\":-1}", name);
        return;
    }
    printf("\"%s\":{\"count\":%jd,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name, (intmax_t)all->count,
           percentile_ms(all, 0.5) - zero_ms, percentile_ms(all, 0.99) - zero_ms, (double)all->longest_ns / 1e6 - zero_ms);
}

static inline void print_events(const tally *all) {
    printf("\"events\":{");
    for (int i = 0; i < all->count; i++) {
        const event_tally *event = &all->events[i];
        printf("%s\"%s\":{\"frames\":%jd,\"bytes\":%jd,\"shortest\":%jd,\"longest\":%jd}", i ? "," : "", event->name,
               (intmax_t)event->frames, (intmax_t)event->bytes, (intmax_t)event->shortest, (intmax_t)event->longest);
    }
    printf("}");
}

/* Days since 1970-01-01 of a date of the Gregorian calendar: years begin in March, so leap days come last. */
static inline int64_t days_since_epoch(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

/* Unix time in ns that a payload carries, as "t_ns":123 or "as_of":"2026-11-23T03:45:00.123Z"; 0 if none. */
static inline int64_t time_in(const frame *got) {
    enum { LOOK_IN = 600 }; /* both stand near the front; chains are long */
    size_t length = got->length < LOOK_IN ? got->length : LOOK_IN;
    const char *at = memmem(got->payload, length, "\"t_ns\":", 7);
    if (at) return strtoll(at + 7, NULL, 10);
    at = memmem(got->payload, length, "\"as_of\":\"", 9);
    if (!at || got->length - (size_t)(at - (const char *)got->payload) < 34) return 0;
    int year, month, day, hour, minute, second, millisecond;
    if (sscanf(at + 9, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &year, &month, &day, &hour, &minute, &second, &millisecond) != 7)
        return 0;
    int64_t seconds = days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return (seconds * 1000 + millisecond) * 1000000;
}

#endif
