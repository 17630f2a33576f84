#include "order_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_regular(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

bool order_file_read(const char *path, struct order *order)
{
    /* O_NONBLOCK: a pipe without a writer would be waited for */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char text[ORDER_MOST_BYTES];
    ssize_t length = is_regular(fd) ? read(fd, text, sizeof text) : -1;
    close(fd);
    return length > 0 && order_parse(text, (size_t)length, order);
}
