/* Pacing a libxl that waits in a timeout (Xen >= 4.5): in, what xl asked of it; out, how that ended. */
#ifndef HEFERY_PACER_TIMER_H
#define HEFERY_PACER_TIMER_H

#include <libxl.h>
#include <stdbool.h>

#include "pace.h"
#include "remus.h"

/* Whether the libxl loaded here has every function that this needs. */
bool timer_is_possible(void);

/* A context of our own, whose timeouts are ours; NULL where there is none to be had. */
libxl_ctx *timer_context(void);

/* Run the replication in `ctx` until it ends; returns libxl's code. */
int timer_run(libxl_ctx *ctx, struct pace *pace, const struct remus *remus);

#endif
