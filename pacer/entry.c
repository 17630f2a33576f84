/* The preload library's ends: in, xl's start and its calls; out, a paced replication, or xl as if we were not there. */
#include <dlfcn.h>
#include <errno.h>
#include <libxl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "known.h"
#include "pace.h"
#include "remus.h"
#include "say.h"
#include "settings.h"
#include "sleep.h"
#include "stop.h"
#include "timer.h"

#define EXPORT __attribute__((visibility("default")))

struct xc_interface_core; /* libxenctrl's handle, which is passed on */

/* as in xenctrl.h, since 4.2 */
int xc_domain_resume(struct xc_interface_core *xch, uint32_t domid, int fast);

typedef int resume_function(struct xc_interface_core *xch, uint32_t domid, int fast);
typedef int usleep_function(useconds_t us);

/* static: whoever calls the functions below can hand nothing over to them */
static struct settings settings;
static struct plug plug = {.fd = -1};
static enum method method;
static struct pace *paced; /* the replication under way */
static uint32_t paced_domid;
static pid_t paced_by;

/* The function of this name in the libraries after this one. */
static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* `xl [-vfNtT] remus ...`; its global options take no values. */
static bool is_xl_remus(int argc, char **argv)
{
    int verb = 1;
    while (verb < argc && argv[verb][0] == '-')
        verb++;
    return strcmp(program_invocation_short_name, "xl") == 0 && verb < argc && strcmp(argv[verb], "remus") == 0;
}

static enum method method_of_libxl(void)
{
    Dl_info libxl;
    void *function = next("libxl_domain_remus_start");
    if (function == NULL || dladdr(function, &libxl) == 0) {
        say("there is no libxl here that knows Remus");
        return METHOD_NONE;
    }
    enum method found = known_method(libxl.dli_fname, settings.allowed);
    if (found == METHOD_NONE || (found == METHOD_TIMER && !timer_is_possible())) {
        say("%s is not known to it", libxl.dli_fname);
        return METHOD_NONE;
    }
    return found;
}

/* How to pace this xl; METHOD_NONE, and a line that says why, leaves it alone. */
static enum method set_up(void)
{
    return settings_read(&settings) ? method_of_libxl() : METHOD_NONE;
}

__attribute__((constructor)) static void begin(int argc, char **argv)
{
    if (!is_xl_remus(argc, argv))
        return;
    unsetenv("LD_PRELOAD"); /* the transport is none of our business */
    method = set_up();
    if (method == METHOD_NONE)
        say("xl remus keeps to its own -i");
    /* output that was to be held must not go out unheld: rather no replication than one that promises too much */
    if (settings.plug != NULL && (method == METHOD_NONE || !plug_open(&plug, settings.plug))) {
        say("output could not be held: not starting");
        _exit(EXIT_FAILURE);
    }
}

static int unpaced(const struct remus *remus)
{
    say("no context or descriptor could be had: xl remus keeps to its own -i");
    return plug.fd < 0 ? remus_pass(remus, NULL) : ERROR_FAIL;
}

static void end_paced(const char *reason)
{
    struct pace *pace = paced;
    paced = NULL;
    pace_ended(pace, reason);
}

static int run(const struct remus *remus)
{
    static struct context context; /* static, both: libxl and the functions here keep pointers to them */
    static struct pace pace;
    char reason[REASON_MOST_BYTES];
    if ((method == METHOD_TIMER && !context_open(&context)) || !stop_open())
        return unpaced(remus);
    pace_open(&pace, &settings, settings.protective_ms != 0 ? settings.protective_ms : remus->info->interval, &plug,
              remus->send_fd);
    paced = &pace;
    paced_domid = remus->domid;
    paced_by = getpid();
    say("pacing domain %u by %s, %d ms without an order", remus->domid, settings.order_path, (int)pace.protective_ms);
    int code = method == METHOD_TIMER ? timer_run(&context, &pace, remus) : sleep_run(&pace, remus);
    remus_reason(reason, remus, pace.failed, code);
    end_paced(reason);
    return code;
}

/* libxl calls exit() where it sees no way on. A child of its own that did so would be no end. */
__attribute__((destructor)) static void leave(void)
{
    if (paced != NULL && paced_by == getpid())
        end_paced("xl exited in the middle of it");
}

EXPORT int libxl_domain_remus_start(libxl_ctx *ctx, libxl_domain_remus_info *info, uint32_t domid, int send_fd,
                                    int recv_fd, const libxl_asyncop_how *ao_how)
{
    struct remus remus = {
        .function = (remus_function *)next("libxl_domain_remus_start"),
        .ctx = ctx,
        .info = info,
        .domid = domid,
        .send_fd = send_fd,
        .recv_fd = recv_fd,
    };
    if (method == METHOD_NONE || ao_how != NULL) /* xl waits for it; whoever does not is somebody else */
        return remus_pass(&remus, ao_how);
    return run(&remus);
}

/* libxl lets the guest run again: the pause ends, and with it the epoch of its output. */
EXPORT int xc_domain_resume(struct xc_interface_core *xch, uint32_t domid, int fast)
{
    resume_function *resume = (resume_function *)next("xc_domain_resume");
    if (paced == NULL || domid != paced_domid)
        return resume(xch, domid, fast);
    pace_resuming(paced);
    int code = resume(xch, domid, fast);
    int errno_of_resume = errno;
    if (code == 0)
        pace_resumed(paced, monotonic_ns());
    errno = errno_of_resume;
    return code;
}

EXPORT int usleep(useconds_t us)
{
    if (sleep_was_ours(us))
        return 0;
    return ((usleep_function *)next("usleep"))(us);
}
