#include "xenctrl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "trace.h"

static bool runs = true;

void trace(const char *what)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%s %" PRId64 "\n", what, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    fflush(stdout);
}

int stand_in_setting(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : atoi(text);
}

int xc_domain_resume(struct xc_interface_core *xch, uint32_t domid, int fast)
{
    (void)xch, (void)domid, (void)fast;
    runs = true;
    trace("resume");
    return 0;
}

void guest_suspend(void)
{
    runs = false;
    trace("suspend");
}

bool guest_runs(void)
{
    return runs;
}
