/* What the stand-ins for both versions of libxl have in common. */
#include <libxl.h>
#include <string.h>

#include "trace.h"
#include "xenctrl.h"

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info, uint32_t domid)
{
    (void)ctx, (void)domid;
    if (info != NULL)
        info->dying = stand_in_setting("STAND_IN_DYING", 0) != 0;
    return stand_in_setting("STAND_IN_GONE", 0) != 0 ? ERROR_DOMAIN_NOTFOUND : 0;
}

void libxl_dominfo_init(libxl_dominfo *info)
{
    memset(info, 0, sizeof *info);
}

void libxl_dominfo_dispose(libxl_dominfo *info)
{
    (void)info;
}

int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid, int fast, const libxl_asyncop_how *how)
{
    (void)ctx, (void)how;
    return guest_runs() ? ERROR_FAIL : xc_domain_resume(NULL, domid, fast);
}
