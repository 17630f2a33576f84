#include "watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include "clock.h"

#define LOOK_EVERY_NS (100 * NS_PER_MS)
#define CHANGED (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO)
#define MOST_READS 16 /* a busy directory must not keep its reader */

void watch_open(struct watch *watch, const char *directory)
{
    watch->directory = directory;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->descriptor = -1;
    watch_renew(watch, monotonic_ns());
}

int64_t watch_look_ns(const struct watch *watch)
{
    return watch->looked_ns + LOOK_EVERY_NS;
}

/* Which file changed does not matter: there are two, and both are looked at in no time. */
static void drain(int fd)
{
    char events[4096];
    for (int i = 0; i < MOST_READS; i++)
        if (read(fd, events, sizeof events) <= 0)
            return;
}

void watch_renew(struct watch *watch, int64_t now_ns)
{
    watch->looked_ns = now_ns;
    if (watch->fd < 0)
        return;
    drain(watch->fd);
    int before = watch->descriptor; /* the same again if it is still the same directory */
    watch->descriptor = inotify_add_watch(watch->fd, watch->directory, CHANGED | IN_ONLYDIR);
    if (before >= 0 && before != watch->descriptor)
        inotify_rm_watch(watch->fd, before);
}
