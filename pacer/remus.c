#include "remus.h"

#include <stdio.h>

#include "stop.h"
#include "wait.h"

#pragma weak libxl_domain_info

int remus_start(const struct remus *remus, libxl_ctx *ctx, const libxl_asyncop_how *how)
{
    remus->info->interval = MARK_MS; /* in place: another version's may hold more than our header knows of */
    return remus->function(ctx, remus->info, remus->domid, remus->send_fd, remus->recv_fd, how);
}

int remus_pass(const struct remus *remus, const libxl_asyncop_how *how)
{
    return remus->function(remus->ctx, remus->info, remus->domid, remus->send_fd, remus->recv_fd, how);
}

static bool is_domain_gone(const struct remus *remus)
{
    return libxl_domain_info != NULL && libxl_domain_info(remus->ctx, NULL, remus->domid) != 0;
}

void remus_reason(char reason[REASON_MOST_BYTES], const struct remus *remus, const char *failed, int code)
{
    if (failed != NULL)
        snprintf(reason, REASON_MOST_BYTES, "%s", failed);
    else if (stop_signal() != 0)
        snprintf(reason, REASON_MOST_BYTES, "xl was asked to end, by signal %d", stop_signal());
    else if (is_domain_gone(remus))
        snprintf(reason, REASON_MOST_BYTES, "the domain is gone");
    else if (wait_stream_broken(remus->send_fd))
        snprintf(reason, REASON_MOST_BYTES, "backup lost: nobody reads the stream any more");
    else if (code == ERROR_GUEST_TIMEDOUT)
        snprintf(reason, REASON_MOST_BYTES, "the guest did not suspend in time");
    else
        snprintf(reason, REASON_MOST_BYTES, "libxl ended it with code %d, see its messages", code);
}
