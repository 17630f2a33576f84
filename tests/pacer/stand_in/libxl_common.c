/* What the stand-ins for both versions of libxl have in common. */
#include <libxl.h>

#include "trace.h"
#include "xenctrl.h"

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info, uint32_t domid)
{
    (void)ctx, (void)info, (void)domid;
    return stand_in_setting("STAND_IN_GONE", 0) != 0 ? ERROR_DOMAIN_NOTFOUND : 0;
}

int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid, int fast, const libxl_asyncop_how *how)
{
    (void)ctx, (void)how;
    return guest_runs() ? ERROR_FAIL : xc_domain_resume(NULL, domid, fast);
}
