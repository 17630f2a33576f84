/* What xl asked of libxl: in, the arguments of libxl_domain_remus_start(); out, the same call with our own interval. */
#ifndef HEFERY_PACER_REMUS_H
#define HEFERY_PACER_REMUS_H

#include <libxl.h>
#include <stdbool.h>
#include <stddef.h>

/* The interval that libxl is given, by which its waiting is told from everything else. Half an hour: libxl's other
 * timeouts are minutes at most, and 4.2 computes it in microseconds in an int. */
#define MARK_MS 2000003

#define REASON_MOST_BYTES 128

typedef int remus_function(libxl_ctx *ctx, libxl_domain_remus_info *info, uint32_t domid, int send_fd, int recv_fd,
                           const libxl_asyncop_how *ao_how);

struct remus {
    remus_function *function; /* libxl's */
    libxl_ctx *ctx;           /* xl's */
    libxl_domain_remus_info *info;
    uint32_t domid;
    int send_fd;
    int recv_fd;
};

/* Start the replication with the marked interval, in `ctx`. */
int remus_start(const struct remus *remus, libxl_ctx *ctx, const libxl_asyncop_how *how);

/* Let libxl do it alone, as if there were no pacer. */
int remus_pass(const struct remus *remus, const libxl_asyncop_how *how);

/* Why it ended, in words: `failed` is our own reason or NULL, `code` is libxl's. libxl's alone would not do: it is that
 * of the teardown, 0 as a rule. */
void remus_reason(char reason[REASON_MOST_BYTES], const struct remus *remus, const char *failed, int code);

#endif
