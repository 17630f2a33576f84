#include "order.h"

#include <string.h>

#include "clock.h"

#define MAX_AHEAD_NS (60 * NS_PER_S) /* a deadline further ahead is not believed */
#define LONG_DIGITS 18               /* so that every number fits int64_t */
#define INTERVAL_DIGITS 7

struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *cursor, const char *literal)
{
    size_t length = strlen(literal);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, literal, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

static bool is_digit(const struct cursor *cursor)
{
    return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

/* A number of at most `digits` digits, without leading zeros. */
static bool take_number(struct cursor *cursor, int digits, int64_t *number)
{
    const char *first = cursor->at;
    *number = 0;
    while (is_digit(cursor) && cursor->at - first < digits)
        *number = *number * 10 + (*cursor->at++ - '0');
    return cursor->at > first && (*first != '0' || cursor->at - first == 1);
}

bool order_parse(const char *text, size_t length, struct order *order)
{
    struct cursor cursor = {text, text + length};
    return take(&cursor, "{\"version\": 1, \"sequence\": ")
        && take_number(&cursor, LONG_DIGITS, &order->sequence)
        && take(&cursor, ", \"interval_ms\": ")
        && take_number(&cursor, INTERVAL_DIGITS, &order->interval_ms)
        && order->interval_ms > 0
        && take(&cursor, ", \"deadline_monotonic_ns\": ")
        && take_number(&cursor, LONG_DIGITS, &order->deadline_ns)
        && take(&cursor, "}\n")
        && cursor.at == cursor.end;
}

static bool stands(const struct order *order, int64_t now_ns)
{
    int64_t ahead_ns = order->deadline_ns - now_ns;
    return ahead_ns > 0 && ahead_ns <= MAX_AHEAD_NS;
}

struct in_force order_in_force(const struct order *order, int64_t now_ns, int64_t protective_ms)
{
    struct in_force in_force = {.sequence = 0, .interval_ms = protective_ms};
    if (order != NULL && stands(order, now_ns)) {
        in_force.sequence = order->sequence;
        if (order->interval_ms > protective_ms)
            in_force.interval_ms = order->interval_ms;
    }
    return in_force;
}

int64_t order_next_change_ns(const struct order *order, int64_t now_ns)
{
    if (order == NULL || order->deadline_ns <= now_ns)
        return NEVER_NS;
    return stands(order, now_ns) ? order->deadline_ns : order->deadline_ns - MAX_AHEAD_NS;
}
