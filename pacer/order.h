/* The governor's order: in, the text of its file; out, the interval in force. The contract is agent/order.py. */
#ifndef HEFERY_PACER_ORDER_H
#define HEFERY_PACER_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORDER_MOST_BYTES 128 /* the longest spelling has 115 */

struct order {
    int64_t sequence;
    int64_t interval_ms;
    int64_t deadline_ns; /* on CLOCK_MONOTONIC */
};

struct in_force {
    int64_t sequence; /* of the order, 0 where none stands */
    int64_t interval_ms;
};

/* Whether `text` is an order in its one spelling; fills `order` if so. */
bool order_parse(const char *text, size_t length, struct order *order);

/* What is in force at `now_ns`; `order` is NULL where there is none. Never shorter than the protective interval. */
struct in_force order_in_force(const struct order *order, int64_t now_ns, int64_t protective_ms);

/* The next time after `now_ns` at which `order` begins or ceases to stand by itself; NEVER_NS if it does neither. */
int64_t order_next_change_ns(const struct order *order, int64_t now_ns);

#endif
