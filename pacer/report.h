/* Reports to the agent: in, what happened; out, a line of JSON. The contract is agent/reports.py. */
#ifndef HEFERY_PACER_REPORT_H
#define HEFERY_PACER_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "order.h"

#define REPORT_MOST_BYTES 1024
#define UNKNOWN_NS INT64_C(-1)

struct checkpoint {
    int64_t period_ns; /* from the commit before to this one */
    int64_t pause_ns;  /* the guest stood still, at most */
    int64_t send_ns;   /* from its resumption to the commit */
};

/* Each writes its report into `text` and returns the length. */
size_t report_checkpoint(char text[REPORT_MOST_BYTES], struct in_force in_force, struct checkpoint checkpoint);
size_t report_applied(char text[REPORT_MOST_BYTES], struct in_force in_force, int64_t latency_ns);
size_t report_ended(char text[REPORT_MOST_BYTES], const char *reason);

#endif
