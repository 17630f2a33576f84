#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "say.h"

#define LONGEST_PROTECTIVE_MS 3600000 /* what a report can tell */

/* The variable's text; NULL where it is missing or empty, as in a unit that leaves it open. */
static const char *variable(const char *name)
{
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? text : NULL;
}

static bool join(char path[PATH_MAX], const char *directory, const char *name)
{
    return snprintf(path, PATH_MAX, "%s%s", directory, name) < PATH_MAX;
}

static bool read_directory(struct settings *settings)
{
    const char *directory = variable("HEFERY_PACER_DIRECTORY");
    if (directory == NULL) {
        say("HEFERY_PACER_DIRECTORY is not set: it names the directory of the order");
        return false;
    }
    if (!join(settings->directory, directory, "") || !join(settings->order_path, directory, "/order")
        || !join(settings->report_path, directory, "/report.sock")
        || !join(settings->stream_path, directory, "/stream")) {
        say("HEFERY_PACER_DIRECTORY is too long: %.100s...", directory);
        return false;
    }
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        say("cannot make %s: %s", directory, strerror(errno));
        return false;
    }
    return true;
}

static bool read_protective(struct settings *settings)
{
    const char *text = variable("HEFERY_PACER_PROTECTIVE_MS");
    settings->protective_ms = 0;
    if (text == NULL)
        return true;
    size_t length = strspn(text, "0123456789");
    settings->protective_ms = length <= 7 && text[length] == '\0' ? strtol(text, NULL, 10) : 0;
    if (settings->protective_ms >= 1 && settings->protective_ms <= LONGEST_PROTECTIVE_MS)
        return true;
    say("HEFERY_PACER_PROTECTIVE_MS must be 1 to %d, not %.20s", LONGEST_PROTECTIVE_MS, text);
    return false;
}

bool settings_read(struct settings *settings)
{
    settings->plug = variable("HEFERY_PACER_PLUG");
    settings->allowed = variable("HEFERY_PACER_ALLOW");
    return read_directory(settings) && read_protective(settings);
}
