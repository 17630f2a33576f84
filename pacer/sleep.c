#include "sleep.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "stop.h"
#include "wait.h"

/* static: usleep() is told nothing but a time */
static struct wait waiting;
static const struct remus *running;

int sleep_run(struct pace *pace, const struct remus *remus)
{
    waiting = (struct wait){.pace = pace, .stream_fd = remus->send_fd};
    running = remus;
    int code = remus_start(remus, remus->ctx, NULL);
    running = NULL;
    return code;
}

/* This libxl cannot be asked to end. Between two checkpoints the guest runs, and the process may end as it would have
 * without us; at any other time the guest might be left standing still. */
static void end_if_asked(void)
{
    if (stop_signal() == 0 && waiting.pace->failed == NULL)
        return;
    char reason[REASON_MOST_BYTES];
    remus_reason(reason, running, waiting.pace->failed, 0);
    pace_ended(waiting.pace, reason);
    stop_close();
    raise(stop_signal() != 0 ? stop_signal() : SIGTERM);
    _exit(EXIT_FAILURE); /* that signal is ignored here */
}

bool sleep_was_ours(unsigned int us)
{
    if (running == NULL || us != MARK_MS * 1000U)
        return false;
    pace_committed(waiting.pace, monotonic_ns());
    for (;;) {
        end_if_asked();
        int64_t due_ns = wait_due_ns(&waiting);
        if (due_ns <= monotonic_ns())
            break;
        struct pollfd own[WAIT_FDS];
        wait_for(&waiting, own, 0, due_ns);
    }
    pace_began(waiting.pace, monotonic_ns());
    return true;
}
