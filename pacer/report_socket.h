/* Sending reports: in, a line; out, a datagram, dropped where nobody takes it at once. */
#ifndef HEFERY_PACER_REPORT_SOCKET_H
#define HEFERY_PACER_REPORT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

struct report_socket {
    int fd; /* -1: no socket could be had, every report is dropped */
    struct sockaddr_un address;
};

/* Whether `path` is short enough for a socket's address. */
bool report_socket_open(struct report_socket *out, const char *path);
void report_socket_send(const struct report_socket *to, const char *text, size_t length);

#endif
