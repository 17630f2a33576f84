/* A libxl that does Remus as 4.2's does, seen from outside: it waits for the next checkpoint in usleep(), and polls for
 * the guest's suspension in steps of 100 ms by the same function. */
#include <libxl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <xentoollog.h>

#include "trace.h"
#include "xenctrl.h"

struct libxl__ctx {
    char unused;
};

int libxl_ctx_alloc(libxl_ctx **out, int version, unsigned flags, xentoollog_logger *log)
{
    (void)version, (void)flags, (void)log;
    *out = calloc(1, sizeof **out);
    return *out == NULL ? ERROR_NOMEM : 0;
}

int libxl_domain_remus_start(libxl_ctx *ctx, libxl_domain_remus_info *info, uint32_t domid, int send_fd, int recv_fd,
                             const libxl_asyncop_how *how)
{
    static const char page[512];
    (void)ctx, (void)recv_fd, (void)how;
    signal(SIGPIPE, SIG_IGN);
    trace("start");
    for (;;) {
        guest_suspend();
        usleep((unsigned)stand_in_setting("STAND_IN_PAUSE_MS", 100) * 1000);
        xc_domain_resume(NULL, domid, 1);
        if (write(send_fd, page, sizeof page) < 0)
            break;
        trace("commit");
        usleep((unsigned)info->interval * 1000U);
    }
    trace("end");
    return ERROR_FAIL;
}
