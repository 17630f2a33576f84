#include "timer.h"

#include <libxl_event.h>
#include <stdlib.h>

#include "clock.h"
#include "stop.h"
#include "wait.h"

#pragma weak libxl_domain_info
#pragma weak libxl_dominfo_dispose
#pragma weak libxl_dominfo_init
#pragma weak libxl_osevent_afterpoll
#pragma weak libxl_osevent_beforepoll
#pragma weak libxl_osevent_occurred_timeout

#define FIRST_FDS 32
#define MEMORY_RETRY_NS (10 * NS_PER_MS)
#define GUEST_LOOK_NS NS_PER_S

struct replication {
    struct context *context;
    const struct remus *remus;
    struct wait wait;
    int64_t seen_ns; /* the guest: it ran, or was there */
    bool done;
    int code;
};

bool timer_is_possible(void)
{
    return context_is_possible() && libxl_domain_info != NULL && libxl_dominfo_dispose != NULL
        && libxl_dominfo_init != NULL && libxl_osevent_afterpoll != NULL && libxl_osevent_beforepoll != NULL
        && libxl_osevent_occurred_timeout != NULL;
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
    struct timeout *due = timeouts_take(&run->context->timeouts, now_ns, wait_due_ns(&run->wait));
    if (due == NULL)
        return false;
    void *for_libxl = due->for_libxl;
    if (due->is_checkpoint)
        pace_began(run->wait.pace, now_ns);
    free(due);
    libxl_osevent_occurred_timeout(run->context->ctx, for_libxl);
    return true;
}

/* Room for libxl's descriptors and ours, filled with libxl's; their number, or -1 while there is no memory. */
static int collect(struct replication *run, struct pollfd **fds, int *room)
{
    struct timeval no_time = {0, 0};
    for (;;) {
        int count = *room, timeout_ms = -1; /* libxl's timeouts are ours */
        if (*fds != NULL && libxl_osevent_beforepoll(run->context->ctx, &count, *fds, &timeout_ms, no_time) == 0)
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
    else if (wait_for(&run->wait, *fds, (nfds_t)count, timeouts_due_ns(&run->context->timeouts, wait_due_ns(&run->wait))))
        libxl_osevent_afterpoll(run->context->ctx, count, *fds, no_time);
}

/* Whether it is destroyed: of a PV guest libxl's helper keeps memory mapped, so it stays, dying, until that ends. An
 * error is no answer. Not in remus.c: what a libxl_dominfo looks like differs from 4.2 on. */
static bool is_gone(const struct remus *remus)
{
    libxl_dominfo info;
    libxl_dominfo_init(&info);
    int code = libxl_domain_info(remus->ctx, &info, remus->domid);
    bool gone = code == ERROR_DOMAIN_NOTFOUND || (code == 0 && info.dying);
    libxl_dominfo_dispose(&info);
    return gone;
}

/* Whether the guest that libxl waits for is gone, which libxl learns after a minute only. */
static bool is_guest_gone(struct replication *run)
{
    int64_t now_ns = monotonic_ns();
    bool may_stand_still = run->wait.pace->may_stand_still;
    if (may_stand_still && now_ns - run->seen_ns < GUEST_LOOK_NS)
        return false;
    run->seen_ns = now_ns;
    return may_stand_still && is_gone(run->remus);
}

/* Whether to leave libxl to itself now. Not by libxl_ao_abort(): in 4.17 a timeout that libxl_osevent_occurred_timeout()
 * told of stays on the list of what can be aborted, which becomes a ring that is never done with. */
static bool is_left(struct replication *run)
{
    struct pace *pace = run->wait.pace;
    if (is_guest_gone(run)) {
        pace->failed = "the domain is gone";
        return true;
    }
    return (stop_signal() != 0 || pace->failed != NULL) && !pace->may_stand_still;
}

int timer_run(struct context *context, struct pace *pace, const struct remus *remus)
{
    struct replication replication = {
        .context = context,
        .remus = remus,
        .wait = {.pace = pace, .stream_fd = remus->send_fd},
        .seen_ns = monotonic_ns(),
    };
    struct replication *run = &replication;
    context->pace = pace;
    const libxl_asyncop_how how = {.callback = done, .u = {.for_callback = run}};
    int code = remus_start(remus, context->ctx, &how);
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
