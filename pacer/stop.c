#include "stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
#define SIGNALS (sizeof signals / sizeof *signals)

/* static: a signal's handler has nothing else to go by */
static volatile sig_atomic_t asked_by;
static int wake_fd = -1;

static void note(int number)
{
    int errno_before = errno;
    uint64_t one = 1;
    asked_by = number;
    ssize_t written = write(wake_fd, &one, sizeof one);
    (void)written; /* full means that it is readable already */
    errno = errno_before;
}

/* A handler, not a blocked signal with a signalfd: libxl's children would inherit the mask, and libxl ends its helper
 * by SIGTERM. */
static void replace(int number, void (*from)(int), void (*to)(int))
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0 || (action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != from)
        return;
    action = (struct sigaction){.sa_handler = to, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

bool stop_open(void)
{
    wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake_fd < 0)
        return false;
    for (size_t i = 0; i < SIGNALS; i++)
        replace(signals[i], SIG_DFL, note);
    return true;
}

int stop_fd(void)
{
    return wake_fd;
}

void stop_drain(void)
{
    uint64_t count;
    ssize_t taken = read(wake_fd, &count, sizeof count);
    (void)taken;
}

int stop_signal(void)
{
    return asked_by;
}

void stop_close(void)
{
    for (size_t i = 0; i < SIGNALS; i++)
        replace(signals[i], note, SIG_DFL);
}
