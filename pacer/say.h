/* One line on standard error, which is the journal of the unit that xl runs in. */
#ifndef HEFERY_PACER_SAY_H
#define HEFERY_PACER_SAY_H

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
