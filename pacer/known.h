/* Which libxl this is: in, the file that it was loaded from; out, how it can be paced, if at all. */
#ifndef HEFERY_PACER_KNOWN_H
#define HEFERY_PACER_KNOWN_H

enum method {
    METHOD_NONE,
    METHOD_TIMER, /* libxl waits in a timeout of its event loop (Xen >= 4.5) */
    METHOD_SLEEP, /* libxl waits in usleep() (Xen 4.2) */
};

/* How to pace the libxl in `path`; `allowed` names one more that its user answers for, and may be NULL. */
enum method known_method(const char *path, const char *allowed);

#endif
