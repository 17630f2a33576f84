#include "report_socket.h"

#include <string.h>
#include <sys/socket.h>

bool report_socket_open(struct report_socket *out, const char *path)
{
    size_t length = strlen(path);
    if (length >= sizeof out->address.sun_path)
        return false;
    memset(&out->address, 0, sizeof out->address);
    out->address.sun_family = AF_UNIX;
    memcpy(out->address.sun_path, path, length);
    out->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return true;
}

void report_socket_send(const struct report_socket *to, const char *text, size_t length)
{
    if (to->fd < 0)
        return;
    /* by path each time: the agent's socket may vanish and come back; the answer does not matter, see the contract */
    (void)sendto(to->fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to->address,
                 sizeof to->address);
}
