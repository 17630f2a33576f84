/* A libxl context of our own, whose timeouts are ours: in, what libxl registers; out, its deadlines and its commits. */
#ifndef HEFERY_PACER_CONTEXT_H
#define HEFERY_PACER_CONTEXT_H

#include <libxl.h>
#include <stdbool.h>

#include "pace.h"
#include "timeouts.h"

struct context {
    libxl_ctx *ctx;
    struct timeouts timeouts;
    struct pace *pace; /* told of commits; to be set before libxl is called */
};

/* Whether the libxl loaded here has what this needs. */
bool context_is_possible(void);

/* False where no context can be had. It stays for as long as the process: libxl keeps it. */
bool context_open(struct context *context);

#endif
