#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "clock.h"

#define MOST_MS INT64_C(3600000) /* a longer time is no report: the agent would pass it over */

static void append(char text[REPORT_MOST_BYTES], size_t *length, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char text[REPORT_MOST_BYTES], size_t *length, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(text + *length, REPORT_MOST_BYTES - *length, format, arguments);
    va_end(arguments);
    if (written > 0)
        *length = (size_t)written < REPORT_MOST_BYTES - *length ? *length + (size_t)written : REPORT_MOST_BYTES - 1;
}

static int64_t at_most(int64_t value, int64_t most)
{
    return value < most ? value : most;
}

/* `, "name": 12.345` from whole numbers: floating point would be printed with the locale's decimal comma. */
static void append_ms(char text[REPORT_MOST_BYTES], size_t *length, const char *name, int64_t ns)
{
    if (ns < 0)
        return;
    int64_t us = at_most(ns / NS_PER_US, MOST_MS * 1000);
    append(text, length, ", \"%s\": %" PRId64 ".%03" PRId64, name, us / 1000, us % 1000);
}

static void append_head(char text[REPORT_MOST_BYTES], size_t *length, const char *kind, struct in_force in_force)
{
    append(text, length, "{\"version\": 1, \"kind\": \"%s\", \"sequence\": %" PRId64 ", \"interval_ms\": %" PRId64, kind,
           in_force.sequence, at_most(in_force.interval_ms, MOST_MS));
}

size_t report_checkpoint(char text[REPORT_MOST_BYTES], struct in_force in_force, struct checkpoint checkpoint)
{
    size_t length = 0;
    append_head(text, &length, "checkpoint", in_force);
    append_ms(text, &length, "period_ms", checkpoint.period_ns);
    append_ms(text, &length, "pause_ms", checkpoint.pause_ns);
    append_ms(text, &length, "send_ms", checkpoint.send_ns);
    append(text, &length, "}");
    return length;
}

size_t report_applied(char text[REPORT_MOST_BYTES], struct in_force in_force, int64_t latency_ns)
{
    size_t length = 0;
    append_head(text, &length, "applied", in_force);
    append_ms(text, &length, "latency_ms", latency_ns < 0 ? 0 : latency_ns);
    append(text, &length, "}");
    return length;
}

size_t report_ended(char text[REPORT_MOST_BYTES], const char *reason)
{
    size_t length = 0;
    append(text, &length, "{\"version\": 1, \"kind\": \"ended\", \"reason\": \"%s\"}", reason);
    return length;
}
