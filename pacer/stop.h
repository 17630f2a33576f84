/* Being asked to end: in, a signal; out, its number and a descriptor that wakes a poll. */
#ifndef HEFERY_PACER_STOP_H
#define HEFERY_PACER_STOP_H

#include <stdbool.h>

/* Take SIGTERM, SIGINT and SIGHUP where they would end the process; false if that cannot be had. */
bool stop_open(void);

/* Readable when a signal came, until it is drained. */
int stop_fd(void);
void stop_drain(void);

/* The signal that asked, 0 if none did. */
int stop_signal(void);

/* Let signals end the process again. */
void stop_close(void);

#endif
