#include "known.h"

#include <stddef.h>
#include <string.h>

/* libxenlight's soname changes with every release of Xen; nothing may be added here that was not run. */
static const struct {
    const char *soname;
    enum method method;
} known[] = {
    {"libxenlight.so.4.17", METHOD_TIMER}, /* run on Xen 4.17 */
    {"libxenlight.so.2.0", METHOD_SLEEP},  /* Xen 4.2; run against a stand-in only */
};

enum method known_method(const char *path, const char *allowed)
{
    const char *slash = strrchr(path, '/');
    const char *soname = slash != NULL ? slash + 1 : path;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(soname, known[i].soname) == 0)
            return known[i].method;
    return allowed != NULL && strcmp(soname, allowed) == 0 ? METHOD_TIMER : METHOD_NONE;
}
