/* Pacing a libxl that waits in a timeout (Xen >= 4.5): in, what xl asked of it; out, how that ended. */
#ifndef HEFERY_PACER_TIMER_H
#define HEFERY_PACER_TIMER_H

#include <stdbool.h>

#include "context.h"
#include "pace.h"
#include "remus.h"

/* Whether the libxl loaded here has every function that this needs. */
bool timer_is_possible(void);

/* Run the replication in `context` until it ends, or is to end while the guest runs; returns libxl's code. */
int timer_run(struct context *context, struct pace *pace, const struct remus *remus);

#endif
