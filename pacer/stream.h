/* What the backup has of the stream: in, the pipe to the transport and the transport's socket; out, all of it, or not.
 *
 * `hefery-remus send` tells in a file which process it is, and which of its descriptors is the TCP connection. The
 * backup's kernel has acknowledged everything when pipe and socket are empty; whatever takes over reads that to its end. */
#ifndef HEFERY_PACER_STREAM_H
#define HEFERY_PACER_STREAM_H

#include <stdbool.h>

enum stream_state {
    STREAM_ACKNOWLEDGED,
    STREAM_UNDER_WAY,
    STREAM_UNTOLD,   /* no transport has told of a connection, as over ssh, whose own buffers nobody sees */
    STREAM_UNSEEN,   /* one has told, and it cannot be looked at */
};

struct stream {
    const char *path; /* of what the transport tells */
    int pipe_fd;      /* libxl's end of the pipe that the transport reads */
    int transport_fd; /* a pidfd of it; -1: not known yet */
    int socket;       /* the number that the connection has there */
    bool said;        /* that nobody tells */
};

void stream_open(struct stream *stream, const char *path, int pipe_fd);
enum stream_state stream_look(struct stream *stream);

#endif
