/* libxl's timeouts, held for it by the monotonic clock: in, its requests; out, the one that is due. */
#ifndef HEFERY_PACER_TIMEOUTS_H
#define HEFERY_PACER_TIMEOUTS_H

#include <stdbool.h>
#include <stdint.h>

struct timeout {
    struct timeout *next;
    void *for_libxl;
    int64_t due_ns;
    bool is_checkpoint; /* due when the pace says so, unless it was called off */
};

struct timeouts {
    struct timeout *first;
};

/* NULL where there is no memory. */
struct timeout *timeouts_add(struct timeouts *timeouts, void *for_libxl, int64_t due_ns, bool is_checkpoint);

/* libxl calls `timeout` off: it gets it back at once. Nothing happens if it has been given back before. */
void timeouts_hasten(struct timeouts *timeouts, const struct timeout *timeout);

/* When the first one is due; NEVER_NS without any. */
int64_t timeouts_due_ns(const struct timeouts *timeouts, int64_t checkpoint_due_ns);

/* Take out one that is due at `now_ns`; the caller frees it. NULL if none is. */
struct timeout *timeouts_take(struct timeouts *timeouts, int64_t now_ns, int64_t checkpoint_due_ns);

#endif
