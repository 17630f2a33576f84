#include "wait.h"

#include "clock.h"
#include "stop.h"

bool wait_stream_broken(int stream_fd)
{
    struct pollfd stream = {.fd = stream_fd};
    return poll(&stream, 1, 0) > 0 && stream.revents != 0;
}

int64_t wait_due_ns(const struct wait *wait)
{
    return wait->backup_gone ? INT64_MIN : pace_due_ns(wait->pace);
}

static struct timespec time_left(int64_t until_ns)
{
    int64_t now_ns = monotonic_ns();
    int64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    return (struct timespec){.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
}

bool wait_for(struct wait *wait, struct pollfd *fds, nfds_t count, int64_t until_ns)
{
    struct pollfd *changed = &fds[count], *stop = &fds[count + 1], *stream = &fds[count + 2];
    *changed = (struct pollfd){.fd = wait->pace->watch.fd, .events = POLLIN};
    *stop = (struct pollfd){.fd = stop_fd(), .events = POLLIN};
    *stream = (struct pollfd){.fd = wait->backup_gone ? -1 : wait->stream_fd}; /* its errors alone */
    struct timespec left = time_left(earlier_ns(until_ns, pace_look_ns(wait->pace, monotonic_ns())));
    int ready = ppoll(fds, count + WAIT_FDS, &left, NULL);
    if (ready > 0 && stop->revents != 0)
        stop_drain(); /* the caller looks at stop_signal() */
    if (ready > 0 && stream->revents != 0)
        wait->backup_gone = true;
    pace_look(wait->pace, ready > 0 && changed->revents != 0, monotonic_ns());
    return ready >= 0;
}
