#include "context.h"

#include <libxl_event.h>
#include <stdio.h>
#include <sys/time.h>
#include <xentoollog.h>

#include "clock.h"
#include "remus.h"

/* weak: this library is loaded before it is known whether libxl is there */
#pragma weak libxl_childproc_setmode
#pragma weak libxl_ctx_alloc
#pragma weak libxl_osevent_register_hooks
#pragma weak xtl_createlogger_stdiostream

#define LEAST_CHECKPOINT_NS (MARK_MS * NS_PER_MS / 2) /* a timeout this far ahead is the wait for the next checkpoint */

bool context_is_possible(void)
{
    return libxl_childproc_setmode != NULL && libxl_ctx_alloc != NULL && libxl_osevent_register_hooks != NULL
        && xtl_createlogger_stdiostream != NULL;
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
    struct context *context = user;
    int64_t now_ns = monotonic_ns(), left_ns = ahead_ns(deadline);
    bool is_checkpoint = left_ns > LEAST_CHECKPOINT_NS;
    *out = timeouts_add(&context->timeouts, for_libxl, now_ns + left_ns, is_checkpoint);
    if (*out == NULL)
        return ERROR_OSEVENT_REG_FAIL;
    if (is_checkpoint) /* libxl waits for the next one as soon as this one is committed */
        pace_committed(context->pace, now_ns);
    else /* it waits for the guest to suspend, as a rule */
        pace_suspending(context->pace);
    return 0;
}

static int timeout_modify(void *user, void **update, struct timeval asap)
{
    struct context *context = user;
    (void)asap; /* libxl_event.h: only ever {0, 0} */
    timeouts_hasten(&context->timeouts, *update);
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

bool context_open(struct context *context)
{
    /* xl has children of its own, the transport, that must not be reaped for it */
    static const libxl_childproc_hooks children = {.chldowner = libxl_sigchld_owner_libxl_always_selective_reap};
    xentoollog_logger_stdiostream *log =
        xtl_createlogger_stdiostream(stderr, XTL_WARN, XTL_STDIOSTREAM_SHOW_DATE | XTL_STDIOSTREAM_SHOW_PID);
    *context = (struct context){.ctx = NULL};
    if (log == NULL || libxl_ctx_alloc(&context->ctx, LIBXL_VERSION, 0, (xentoollog_logger *)log) != 0)
        return false;
    libxl_osevent_register_hooks(context->ctx, &hooks, context);
    libxl_childproc_setmode(context->ctx, &children, NULL);
    return true;
}
