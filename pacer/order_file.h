/* Reading the order file without ever waiting: in, a path; out, the order in it, or none. */
#ifndef HEFERY_PACER_ORDER_FILE_H
#define HEFERY_PACER_ORDER_FILE_H

#include <stdbool.h>

#include "order.h"

/* Whether a regular file at `path` holds an order; links, pipes and whatever else is there hold none. */
bool order_file_read(const char *path, struct order *order);

#endif
