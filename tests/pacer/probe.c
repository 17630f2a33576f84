/* The pacer's pure parts for tests/pacer, which compares them with the agent's: questions on standard input, one a
 * line, answers on standard output. Bytes are in hexadecimal. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "order_file.h"
#include "report.h"

#define MOST_BYTES 65536

/* order NOW PROTECTIVE TEXT -> SEQUENCE INTERVAL NEXT_CHANGE */
static void answer_order(const char *line)
{
    static char hex[2 * MOST_BYTES + 1];
    int64_t now_ns, protective_ms;
    hex[0] = '\0';
    if (sscanf(line, "order %" SCNd64 " %" SCNd64 " %131072s", &now_ns, &protective_ms, hex) < 2)
        exit(EXIT_FAILURE);
    size_t length = strlen(hex) / 2;
    char *text = malloc(length + (length == 0)); /* of the exact size, for the address sanitizer */
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        sscanf(&hex[2 * i], "%2x", &byte);
        text[i] = (char)byte;
    }
    struct order order;
    const struct order *found = order_parse(text, length, &order) ? &order : NULL;
    struct in_force in_force = order_in_force(found, now_ns, protective_ms);
    printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", in_force.sequence, in_force.interval_ms,
           order_next_change_ns(found, now_ns));
    free(text);
}

/* file PATH -> INTERVAL, 0 for no order */
static void answer_file(const char *line)
{
    char path[4096];
    struct order order;
    if (sscanf(line, "file %4095s", path) != 1)
        exit(EXIT_FAILURE);
    printf("%" PRId64 "\n", order_file_read(path, &order) ? order.interval_ms : 0);
}

/* checkpoint SEQUENCE INTERVAL PERIOD PAUSE SEND -> the report */
static void answer_checkpoint(const char *line)
{
    char text[REPORT_MOST_BYTES];
    struct in_force in_force;
    struct checkpoint checkpoint;
    if (sscanf(line, "checkpoint %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &in_force.sequence,
               &in_force.interval_ms, &checkpoint.period_ns, &checkpoint.pause_ns, &checkpoint.send_ns) != 5)
        exit(EXIT_FAILURE);
    size_t length = report_checkpoint(text, in_force, checkpoint);
    printf("%.*s\n", (int)length, text);
}

/* applied SEQUENCE INTERVAL LATENCY -> the report */
static void answer_applied(const char *line)
{
    char text[REPORT_MOST_BYTES];
    struct in_force in_force;
    int64_t latency_ns;
    if (sscanf(line, "applied %" SCNd64 " %" SCNd64 " %" SCNd64, &in_force.sequence, &in_force.interval_ms,
               &latency_ns) != 3)
        exit(EXIT_FAILURE);
    size_t length = report_applied(text, in_force, latency_ns);
    printf("%.*s\n", (int)length, text);
}

int main(void)
{
    static char line[3 * MOST_BYTES];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strncmp(line, "order ", 6) == 0)
            answer_order(line);
        else if (strncmp(line, "file ", 5) == 0)
            answer_file(line);
        else if (strncmp(line, "checkpoint ", 11) == 0)
            answer_checkpoint(line);
        else
            answer_applied(line);
    }
    return EXIT_SUCCESS;
}
