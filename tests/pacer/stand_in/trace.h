/* What the stand-ins for Xen do, told on standard output, one line each, with the time on CLOCK_MONOTONIC. */
#ifndef STAND_IN_TRACE_H
#define STAND_IN_TRACE_H

void trace(const char *what);

/* A number from the environment. */
int stand_in_setting(const char *name, int otherwise);

#endif
