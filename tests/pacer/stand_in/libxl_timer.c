/* A libxl that does Remus as 4.17's does, seen from outside: one operation, driven by its timeouts and descriptors,
 * which waits for the next checkpoint in a timeout. Work on a checkpoint is a timerfd that expires. */
#include <assert.h>
#include <errno.h>
#include <libxl.h>
#include <libxl_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <xentoollog.h>

#include "trace.h"
#include "xenctrl.h"

struct nexus {
    struct deadline *of; /* NULL: called off */
    void *registration;
};

struct deadline {
    bool set;
    struct timeval at;
    struct nexus *nexus;
    void (*passed)(libxl_ctx *ctx);
};

struct libxl__ctx {
    const libxl_osevent_hooks *hooks;
    void *user;
    struct deadline suspend, checkpoint;
    int nexuses; /* not given back yet */
    int work_fd;
    void (*worked)(libxl_ctx *ctx);
    const libxl_domain_remus_info *info;
    uint32_t domid;
    int send_fd, commits;
    libxl_asyncop_how how;
    bool done;
    int code;
};

int libxl_ctx_alloc(libxl_ctx **out, int version, unsigned flags, xentoollog_logger *log)
{
    (void)version, (void)flags, (void)log;
    if (stand_in_setting("STAND_IN_NO_CONTEXT", 0) != 0 && log != NULL)
        return ERROR_NOMEM;
    *out = calloc(1, sizeof **out);
    return *out == NULL ? ERROR_NOMEM : 0;
}

xentoollog_logger_stdiostream *xtl_createlogger_stdiostream(FILE *file, xentoollog_level level, unsigned flags)
{
    static char log;
    (void)file, (void)level, (void)flags;
    return (void *)&log;
}

void libxl_osevent_register_hooks(libxl_ctx *ctx, const libxl_osevent_hooks *hooks, void *user)
{
    ctx->hooks = hooks;
    ctx->user = user;
}

void libxl_childproc_setmode(libxl_ctx *ctx, const libxl_childproc_hooks *hooks, void *user)
{
    (void)ctx, (void)user;
    assert(hooks->chldowner == libxl_sigchld_owner_libxl_always_selective_reap);
}

static void set(libxl_ctx *ctx, struct deadline *deadline, int ms, void (*passed)(libxl_ctx *ctx))
{
    struct timeval now, ahead = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    gettimeofday(&now, NULL);
    timeradd(&now, &ahead, &deadline->at);
    deadline->set = true;
    deadline->passed = passed;
    if (ctx->hooks == NULL)
        return;
    struct nexus *nexus = calloc(1, sizeof *nexus);
    nexus->of = deadline;
    deadline->nexus = nexus;
    ctx->nexuses++;
    int code = ctx->hooks->timeout_register(ctx->user, &nexus->registration, deadline->at, nexus);
    assert(code == 0);
}

static void call_off(libxl_ctx *ctx, struct deadline *deadline)
{
    struct timeval right_away = {0, 0};
    deadline->set = false;
    if (deadline->nexus == NULL)
        return;
    struct nexus *nexus = deadline->nexus;
    deadline->nexus = NULL;
    nexus->of = NULL;
    int code = ctx->hooks->timeout_modify(ctx->user, &nexus->registration, right_away);
    assert(code == 0);
}

void libxl_osevent_occurred_timeout(libxl_ctx *ctx, void *for_libxl)
{
    struct nexus *nexus = for_libxl;
    struct deadline *deadline = nexus->of;
    free(nexus);
    ctx->nexuses--;
    if (deadline == NULL)
        return;
    deadline->nexus = NULL;
    deadline->set = false;
    deadline->passed(ctx);
}

static void end(libxl_ctx *ctx, int code)
{
    call_off(ctx, &ctx->suspend);
    call_off(ctx, &ctx->checkpoint);
    close(ctx->work_fd);
    ctx->work_fd = -1;
    ctx->done = true;
    ctx->code = code;
    trace("end");
    if (ctx->how.callback != NULL)
        ctx->how.callback(ctx, code, ctx->how.u.for_callback);
}

static void work(libxl_ctx *ctx, int ms, void (*worked)(libxl_ctx *ctx))
{
    struct itimerspec after = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 + 1}};
    timerfd_settime(ctx->work_fd, 0, &after, NULL);
    ctx->worked = worked;
}

static void begin_checkpoint(libxl_ctx *ctx);

static void sent(libxl_ctx *ctx)
{
    static const char page[512];
    if (write(ctx->send_fd, page, sizeof page) < 0 || ++ctx->commits == stand_in_setting("STAND_IN_FAIL_AFTER", 0)) {
        end(ctx, 0); /* as libxl does: the code is that of the teardown */
        return;
    }
    trace("commit");
    if (ctx->commits == stand_in_setting("STAND_IN_EXIT_AFTER", 0))
        exit(255);
    set(ctx, &ctx->checkpoint, ctx->info->interval, begin_checkpoint);
}

static void suspended(libxl_ctx *ctx)
{
    call_off(ctx, &ctx->suspend);
    xc_domain_resume(NULL, ctx->domid, 1);
    work(ctx, stand_in_setting("STAND_IN_SEND_MS", 1), sent);
}

static void suspend_timed_out(libxl_ctx *ctx)
{
    trace("timed-out");
    end(ctx, ERROR_GUEST_TIMEDOUT);
}

static void begin_checkpoint(libxl_ctx *ctx)
{
    guest_suspend();
    set(ctx, &ctx->suspend, stand_in_setting("STAND_IN_SUSPEND_TIMEOUT_MS", 60000), suspend_timed_out);
    work(ctx, stand_in_setting("STAND_IN_PAUSE_MS", 2), suspended);
}

int libxl_osevent_beforepoll(libxl_ctx *ctx, int *count, struct pollfd *fds, int *timeout_ms, struct timeval now)
{
    int room = *count;
    *count = 1;
    if (room < 1)
        return ERROR_BUFFERFULL;
    fds[0] = (struct pollfd){.fd = ctx->work_fd, .events = POLLIN};
    for (struct deadline *deadline = &ctx->suspend; deadline <= &ctx->checkpoint; deadline++) {
        struct timeval left;
        timersub(&deadline->at, &now, &left);
        int left_ms = left.tv_sec < 0 ? 0 : left.tv_sec > 2000000 ? 2000000000 : (int)(left.tv_sec * 1000 + left.tv_usec / 1000 + 1);
        if (deadline->set && (*timeout_ms < 0 || left_ms < *timeout_ms))
            *timeout_ms = left_ms;
    }
    return 0;
}

static void pass_if_due(libxl_ctx *ctx, struct deadline *deadline, struct timeval now)
{
    if (!deadline->set || timercmp(&deadline->at, &now, >))
        return;
    call_off(ctx, deadline);
    deadline->passed(ctx);
}

void libxl_osevent_afterpoll(libxl_ctx *ctx, int count, const struct pollfd *fds, struct timeval now)
{
    uint64_t expirations;
    assert(count == 1);
    if (fds[0].revents != 0 && read(ctx->work_fd, &expirations, sizeof expirations) > 0)
        ctx->worked(ctx);
    pass_if_due(ctx, &ctx->suspend, now);
    pass_if_due(ctx, &ctx->checkpoint, now);
}

static int run(libxl_ctx *ctx)
{
    while (!ctx->done) {
        struct pollfd fds[1];
        struct timeval now;
        int count = 1, timeout_ms = -1;
        gettimeofday(&now, NULL);
        libxl_osevent_beforepoll(ctx, &count, fds, &timeout_ms, now);
        if (poll(fds, 1, timeout_ms) < 0)
            continue;
        gettimeofday(&now, NULL);
        libxl_osevent_afterpoll(ctx, count, fds, now);
    }
    return ctx->code;
}

int libxl_domain_remus_start(libxl_ctx *ctx, libxl_domain_remus_info *info, uint32_t domid, int send_fd, int recv_fd,
                             const libxl_asyncop_how *how)
{
    (void)recv_fd;
    if (stand_in_setting("STAND_IN_NO_START", 0) != 0)
        return ERROR_INVAL;
    signal(SIGPIPE, SIG_IGN);
    ctx->info = info;
    ctx->domid = domid;
    ctx->send_fd = send_fd;
    ctx->work_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (how != NULL)
        ctx->how = *how;
    trace("start");
    work(ctx, stand_in_setting("STAND_IN_FIRST_COPY_MS", 1), begin_checkpoint); /* while the guest runs */
    return how != NULL ? 0 : run(ctx);
}
