/* Noticing changes in the order's directory: in, its path; out, when to look: at once by inotify, else every 100 ms. */
#ifndef HEFERY_PACER_WATCH_H
#define HEFERY_PACER_WATCH_H

#include <stdint.h>

struct watch {
    const char *directory;
    int fd;         /* of inotify, readable on a change; -1 where there is no inotify */
    int descriptor; /* of the directory; -1 while it cannot be watched */
    int64_t looked_ns;
};

void watch_open(struct watch *watch, const char *directory);

/* When to look at the latest, whatever inotify says: of a directory that was removed while somebody held something in
 * it, as the agent holds its socket, inotify says nothing. */
int64_t watch_look_ns(const struct watch *watch);

/* Take note of what inotify has to say, and watch the directory that is at the path now; to be followed by a look. */
void watch_renew(struct watch *watch, int64_t now_ns);

#endif
