/* Pacing one replication: in, orders and what libxl does; out, when the next checkpoint is due, and reports. */
#ifndef HEFERY_PACER_PACE_H
#define HEFERY_PACER_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "order.h"
#include "plug.h"
#include "report_socket.h"
#include "settings.h"
#include "stream.h"
#include "watch.h"

struct pace {
    const struct settings *settings;
    int64_t protective_ms;
    struct watch watch;
    struct report_socket reports;
    struct plug *plug;
    struct stream stream;
    bool ended_epoch; /* of output, by the checkpoint under way */
    bool unreleased;  /* one is committed, and still held */
    struct order order;
    bool ordered; /* `order` is what the file holds */
    struct in_force in_force;
    int64_t began_ns;     /* the checkpoint under way, UNKNOWN_NS for the first copy */
    int64_t resumed_ns;   /* the guest */
    int64_t committed_ns; /* the last checkpoint, UNKNOWN_NS before the first */
    bool may_stand_still; /* the guest, from before its suspension until it resumes: no time to end */
    const char *failed;   /* why replication cannot go on; NULL: it can */
};

void pace_open(struct pace *pace, const struct settings *settings, int64_t protective_ms, struct plug *plug,
               int stream_fd);

/* Look at the order file if that is due or `noticed` says so, put in force what stands now, and let out the output of
 * committed epochs once the backup has acknowledged all that was sent. */
void pace_look(struct pace *pace, bool noticed, int64_t now_ns);

/* When to look again at the latest, if nothing is noticed. */
int64_t pace_look_ns(const struct pace *pace, int64_t now_ns);

/* When the next checkpoint is due, by the last commit and the interval in force now. */
int64_t pace_due_ns(const struct pace *pace);

/* What happened to the replication. */
void pace_began(struct pace *pace, int64_t now_ns);
void pace_suspending(struct pace *pace);
void pace_resuming(struct pace *pace);
void pace_resumed(struct pace *pace, int64_t now_ns);
void pace_committed(struct pace *pace, int64_t now_ns);
void pace_ended(struct pace *pace, const char *reason);

#endif
