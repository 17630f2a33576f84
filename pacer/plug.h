/* Holding the guest's output until its checkpoint is committed: in, a device with a plug qdisc; out, its epochs. */
#ifndef HEFERY_PACER_PLUG_H
#define HEFERY_PACER_PLUG_H

#include <stdbool.h>
#include <stdint.h>

enum plug_action {
    PLUG_HOLD,        /* what leaves the guest from now on belongs to the next epoch */
    PLUG_RELEASE_ONE, /* the epoch before is committed: let it out */
    PLUG_OPEN,        /* hold nothing any more */
};

struct plug {
    int fd;     /* of rtnetlink; -1: no output is held */
    int device; /* its index */
    uint32_t sequence;
};

/* Whether the plug of `device` obeys; says why where it does not. A `device` of NULL: no output is to be held. */
bool plug_open(struct plug *plug, const char *device);

/* Whether the kernel did it; true without a plug. */
bool plug_do(struct plug *plug, enum plug_action action);

#endif
