#include "timeouts.h"

#include <stdlib.h>

#include "clock.h"

struct timeout *timeouts_add(struct timeouts *timeouts, void *for_libxl, int64_t due_ns, bool is_checkpoint)
{
    struct timeout *timeout = malloc(sizeof *timeout);
    if (timeout == NULL)
        return NULL;
    *timeout = (struct timeout){timeouts->first, for_libxl, due_ns, is_checkpoint};
    timeouts->first = timeout;
    return timeout;
}

void timeouts_hasten(struct timeouts *timeouts, const struct timeout *timeout)
{
    for (struct timeout *known = timeouts->first; known != NULL; known = known->next)
        if (known == timeout) {
            known->is_checkpoint = false;
            known->due_ns = INT64_MIN;
        }
}

static int64_t due_ns(const struct timeout *timeout, int64_t checkpoint_due_ns)
{
    return timeout->is_checkpoint ? checkpoint_due_ns : timeout->due_ns;
}

int64_t timeouts_due_ns(const struct timeouts *timeouts, int64_t checkpoint_due_ns)
{
    int64_t first_ns = NEVER_NS;
    for (const struct timeout *timeout = timeouts->first; timeout != NULL; timeout = timeout->next)
        first_ns = earlier_ns(first_ns, due_ns(timeout, checkpoint_due_ns));
    return first_ns;
}

struct timeout *timeouts_take(struct timeouts *timeouts, int64_t now_ns, int64_t checkpoint_due_ns)
{
    for (struct timeout **link = &timeouts->first; *link != NULL; link = &(*link)->next)
        if (due_ns(*link, checkpoint_due_ns) <= now_ns) {
            struct timeout *taken = *link;
            *link = taken->next;
            return taken;
        }
    return NULL;
}
