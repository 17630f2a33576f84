/* What the unit asks for: in, the environment; out, paths and numbers, or a complaint. */
#ifndef HEFERY_PACER_SETTINGS_H
#define HEFERY_PACER_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct settings {
    char directory[PATH_MAX]; /* HEFERY_PACER_DIRECTORY */
    char order_path[PATH_MAX];
    char report_path[PATH_MAX];
    char stream_path[PATH_MAX]; /* what the transport tells */
    int64_t protective_ms;    /* HEFERY_PACER_PROTECTIVE_MS; 0: xl's own -i */
    const char *plug;         /* HEFERY_PACER_PLUG: the device that holds the guest's output; NULL: none does */
    const char *allowed;      /* HEFERY_PACER_ALLOW: the libxl to pace although nobody has tried it; NULL: none */
};

/* Whether the environment makes sense; says so where it does not. Makes the directory (0700) if there is none. */
bool settings_read(struct settings *settings);

#endif
