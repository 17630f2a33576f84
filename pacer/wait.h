/* One wait for whatever concerns the pacer, and for what its caller brings: in, a time; out, what has happened. */
#ifndef HEFERY_PACER_WAIT_H
#define HEFERY_PACER_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "pace.h"

#define WAIT_FDS 3 /* the pacer's own descriptors in a poll */

struct wait {
    struct pace *pace;
    int stream_fd;   /* of the stream to the backup */
    bool backup_gone; /* nobody reads the stream any more */
};

/* Poll fds[0..count) and, in the WAIT_FDS places after them, the pacer's own, until `until_ns`; then look at orders.
 * Returns whether fds[0..count) are to be believed. */
bool wait_for(struct wait *wait, struct pollfd *fds, nfds_t count, int64_t until_ns);

/* When the next checkpoint is due: at once where it shows that the backup is gone, rather than after the interval. */
int64_t wait_due_ns(const struct wait *wait);

/* Whether nobody reads the stream now. */
bool wait_stream_broken(int stream_fd);

#endif
