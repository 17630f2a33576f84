/* Pacing a libxl that waits in usleep() (Xen 4.2): in, what xl asked of it; out, how that ended. */
#ifndef HEFERY_PACER_SLEEP_H
#define HEFERY_PACER_SLEEP_H

#include <stdbool.h>

#include "pace.h"
#include "remus.h"

/* Run the replication until it ends; returns libxl's code. */
int sleep_run(struct pace *pace, const struct remus *remus);

/* Whether a usleep() of `us` was libxl's wait for the next checkpoint; returns when that is due. */
bool sleep_was_ours(unsigned int us);

#endif
