#include "timer.h"

#include <libxl_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <xentoollog.h>

#include "clock.h"
#include "stop.h"
#include "timeouts.h"
#include "wait.h"

/* weak: this library is loaded before it is known whether libxl is there */
#pragma weak libxl_childproc_setmode
#pragma weak libxl_ctx_alloc
#pragma weak libxl_osevent_afterpoll
#pragma weak libxl_osevent_beforepoll
#pragma weak libxl_osevent_occurred_timeout
#pragma weak libxl_osevent_register_hooks
#pragma weak xtl_createlogger_stdiostream

#define LEAST_CHECKPOINT_NS (MARK_MS * NS_PER_MS / 2) /* a timeout this far ahead is the wait for the next checkpoint */
#define FIRST_FDS 32
#define MEMORY_RETRY_NS (10 * NS_PER_MS)

struct replication {
    libxl_ctx *ctx;
    struct wait wait;
    struct timeouts timeouts;
    bool done;
    int code;
};

/* static: libxl's hooks belong to a context, which is made before the replication is known */
static struct replication replication;

bool timer_is_possible(void)
{
    return libxl_childproc_setmode != NULL && libxl_ctx_alloc != NULL
        && libxl_osevent_afterpoll != NULL && libxl_osevent_beforepoll != NULL && libxl_osevent_occurred_timeout != NULL
        && libxl_osevent_register_hooks != NULL && xtl_createlogger_stdiostream != NULL;
}

/* libxl's hooks, called with its lock held: nothing here may call back into it. Descriptors are left to
 * libxl_osevent_beforepoll(), which knows them as well. */

static int fd_register(void *user, int fd, void **out, short events, void *for_libxl)
{
    (void)user, (void)fd, (void)out, (void)events, (void)for_libxl;
    return 0;
}

static int fd_modify(void *user, int fd, void **update, short events)
{
    (void)user, (void)fd, (void)update, (void)events;
    return 0;
}

static void fd_deregister(void *user, int fd, void *registration)
{
    (void)user, (void)fd, (void)registration;
}

/* libxl reckons its deadlines by the wall clock; how far ahead one is now is right whenever the clock is set later. */
static int64_t ahead_ns(struct timeval deadline)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return ((int64_t)deadline.tv_sec - now.tv_sec) * NS_PER_S + ((int64_t)deadline.tv_usec - now.tv_usec) * NS_PER_US;
}

static int timeout_register(void *user, void **out, struct timeval deadline, void *for_libxl)
{
    struct replication *run = user;
    int64_t now_ns = monotonic_ns(), left_ns = ahead_ns(deadline);
    bool is_checkpoint = left_ns > LEAST_CHECKPOINT_NS;
    *out = timeouts_add(&run->timeouts, for_libxl, now_ns + left_ns, is_checkpoint);
    if (*out == NULL)
        return ERROR_OSEVENT_REG_FAIL;
    if (is_checkpoint) /* libxl waits for the next one as soon as this one is committed */
        pace_committed(run->wait.pace, now_ns);
    else /* it waits for the guest to suspend, as a rule */
        pace_suspending(run->wait.pace);
    return 0;
}

static int timeout_modify(void *user, void **update, struct timeval asap)
{
    struct replication *run = user;
    (void)asap; /* libxl_event.h: only ever {0, 0} */
    timeouts_hasten(&run->timeouts, *update);
    return 0;
}

static void timeout_deregister(void *user, void *registration)
{
    (void)user, (void)registration; /* libxl_event.h: never called */
}

static const libxl_osevent_hooks hooks = {
    .fd_register = fd_register,
    .fd_modify = fd_modify,
    .fd_deregister = fd_deregister,
    .timeout_register = timeout_register,
    .timeout_modify = timeout_modify,
    .timeout_deregister = timeout_deregister,
};

libxl_ctx *timer_context(void)
{
    /* xl has children of its own, the transport, that must not be reaped for it */
    static const libxl_childproc_hooks children = {.chldowner = libxl_sigchld_owner_libxl_always_selective_reap};
    xentoollog_logger_stdiostream *log =
        xtl_createlogger_stdiostream(stderr, XTL_WARN, XTL_STDIOSTREAM_SHOW_DATE | XTL_STDIOSTREAM_SHOW_PID);
    libxl_ctx *ctx = NULL;
    if (log == NULL || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, (xentoollog_logger *)log) != 0)
        return NULL;
    libxl_osevent_register_hooks(ctx, &hooks, &replication);
    libxl_childproc_setmode(ctx, &children, NULL);
    return ctx;
}

static void done(libxl_ctx *ctx, int code, void *user)
{
    struct replication *run = user;
    (void)ctx;
    run->done = true;
    run->code = code;
}

/* Tell libxl of a timeout that is due; false if none is. */
static bool fire(struct replication *run)
{
    int64_t now_ns = monotonic_ns();
    struct timeout *due = timeouts_take(&run->timeouts, now_ns, wait_due_ns(&run->wait));
    if (due == NULL)
        return false;
    void *for_libxl = due->for_libxl;
    if (due->is_checkpoint)
        pace_began(run->wait.pace, now_ns);
    free(due);
    libxl_osevent_occurred_timeout(run->ctx, for_libxl);
    return true;
}

/* Room for libxl's descriptors and ours, filled with libxl's; their number, or -1 while there is no memory. */
static int collect(struct replication *run, struct pollfd **fds, int *room)
{
    struct timeval no_time = {0, 0};
    for (;;) {
        int count = *room, timeout_ms = -1; /* libxl's timeouts are ours */
        if (*fds != NULL && libxl_osevent_beforepoll(run->ctx, &count, *fds, &timeout_ms, no_time) == 0)
            return count;
        int wanted = *fds == NULL ? FIRST_FDS : count;
        struct pollfd *larger = realloc(*fds, ((size_t)wanted + WAIT_FDS) * sizeof *larger);
        if (larger == NULL)
            return -1;
        *fds = larger;
        *room = wanted;
    }
}

static void work(struct replication *run, struct pollfd **fds, int *room)
{
    struct timeval no_time = {0, 0}; /* by the wall clock it would see its timeouts pass, too */
    struct pollfd own[WAIT_FDS];
    int count = collect(run, fds, room);
    if (count < 0)
        wait_for(&run->wait, own, 0, monotonic_ns() + MEMORY_RETRY_NS);
    else if (wait_for(&run->wait, *fds, (nfds_t)count, timeouts_due_ns(&run->timeouts, wait_due_ns(&run->wait))))
        libxl_osevent_afterpoll(run->ctx, count, *fds, no_time);
}

/* Whether to leave libxl to itself now. Not by libxl_ao_abort(): in 4.17 a timeout that libxl_osevent_occurred_timeout()
 * told of stays on the list of what can be aborted, which becomes a ring that is never done with. */
static bool is_left(const struct replication *run)
{
    return (stop_signal() != 0 || run->wait.pace->failed != NULL) && !run->wait.pace->may_stand_still;
}

int timer_run(libxl_ctx *ctx, struct pace *pace, const struct remus *remus)
{
    struct replication *run = &replication;
    run->ctx = ctx;
    run->wait = (struct wait){.pace = pace, .stream_fd = remus->send_fd};
    const libxl_asyncop_how how = {.callback = done, .u = {.for_callback = run}};
    int code = remus_start(remus, ctx, &how);
    if (code != 0)
        return code;
    struct pollfd *fds = NULL;
    int room = 0;
    while (!run->done && !is_left(run))
        if (!fire(run))
            work(run, &fds, &room);
    free(fds);
    return run->done ? run->code : ERROR_ABORTED;
}
