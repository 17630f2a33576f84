#include "stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "say.h"

void stream_open(struct stream *stream, const char *path, int pipe_fd)
{
    *stream = (struct stream){.path = path, .pipe_fd = pipe_fd, .transport_fd = -1};
}

/* Find the transport, which has told of itself before the first byte went to the backup. */
static enum stream_state find(struct stream *stream)
{
    FILE *file = fopen(stream->path, "re");
    if (file == NULL) {
        if (!stream->said)
            say("no transport tells of its connection: output is let out before the backup has acknowledged");
        stream->said = true;
        return STREAM_UNTOLD;
    }
    int pid = 0, found = fscanf(file, "%d %d", &pid, &stream->socket);
    fclose(file);
    if (found == 2)
        stream->transport_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (stream->transport_fd >= 0 || (found == 2 && errno == ESRCH))
        return STREAM_UNDER_WAY;
    say("%s: of no use: %s", stream->path, found == 2 ? strerror(errno) : "it is no process and descriptor");
    return STREAM_UNSEEN;
}

/* -1 where the kernel does not tell. */
static int bytes_in(int fd, unsigned long which)
{
    int bytes = 0;
    return ioctl(fd, which, &bytes) == 0 ? bytes : -1;
}

static enum stream_state state_by(int bytes)
{
    return bytes < 0 ? STREAM_UNSEEN : bytes > 0 ? STREAM_UNDER_WAY : STREAM_ACKNOWLEDGED;
}

/* The connection is borrowed for one question: held any longer, it would outlive its transport. */
static enum stream_state look_at_socket(const struct stream *stream)
{
    int fd = (int)syscall(SYS_pidfd_getfd, stream->transport_fd, stream->socket, 0);
    if (fd < 0) /* it has ended, as the stream will show; or it has closed the connection */
        return errno == ESRCH || errno == EBADF ? STREAM_UNDER_WAY : STREAM_UNSEEN;
    enum stream_state state = state_by(bytes_in(fd, SIOCOUTQ));
    close(fd);
    return state;
}

enum stream_state stream_look(struct stream *stream)
{
    if (stream->transport_fd < 0) {
        enum stream_state found = find(stream);
        if (stream->transport_fd < 0)
            return found;
    }
    /* the pipe first: what has left it is in the socket already (splice(2)) */
    enum stream_state in_pipe = state_by(bytes_in(stream->pipe_fd, FIONREAD));
    return in_pipe == STREAM_ACKNOWLEDGED ? look_at_socket(stream) : in_pipe;
}
