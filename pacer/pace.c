#include "pace.h"

#include "clock.h"
#include "order_file.h"
#include "report.h"
#include "say.h"

#define RELEASE_LOOK_NS NS_PER_MS /* the kernel tells nobody when all is acknowledged */

void pace_open(struct pace *pace, const struct settings *settings, int64_t protective_ms, struct plug *plug,
               int stream_fd)
{
    *pace = (struct pace){
        .settings = settings,
        .protective_ms = protective_ms,
        .plug = plug,
        .in_force = {.interval_ms = protective_ms},
        .began_ns = UNKNOWN_NS,
        .resumed_ns = UNKNOWN_NS,
        .committed_ns = UNKNOWN_NS,
    };
    if (!report_socket_open(&pace->reports, settings->report_path))
        say("%s is too long for a socket: there will be no reports", settings->report_path);
    stream_open(&pace->stream, settings->stream_path, stream_fd);
    watch_open(&pace->watch, settings->directory);
    pace_look(pace, true, monotonic_ns());
}

static const struct order *order_of(const struct pace *pace)
{
    return pace->ordered ? &pace->order : NULL;
}

static void put_in_force(struct pace *pace, int64_t since_ns)
{
    int64_t now_ns = monotonic_ns();
    struct in_force before = pace->in_force;
    pace->in_force = order_in_force(order_of(pace), now_ns, pace->protective_ms);
    if (pace->in_force.interval_ms == before.interval_ms)
        return;
    char text[REPORT_MOST_BYTES];
    report_socket_send(&pace->reports, text, report_applied(text, pace->in_force, now_ns - since_ns));
}

/* Since when the interval in force has been out of date: an order that stood ended at its deadline. */
static int64_t stale_since_ns(const struct pace *pace, int64_t now_ns)
{
    bool lapsed = pace->in_force.sequence != 0 && pace->order.deadline_ns < now_ns;
    return lapsed ? pace->order.deadline_ns : now_ns;
}

static void plug_or_fail(struct pace *pace, enum plug_action action)
{
    if (!plug_do(pace->plug, action))
        pace->failed = "the guest's output can no longer be held";
}

/* At any time: an empty stream is an empty stream, also while the next checkpoint is made. */
static void release(struct pace *pace)
{
    if (!pace->unreleased)
        return;
    enum stream_state state = stream_look(&pace->stream);
    if (state == STREAM_UNSEEN)
        pace->failed = "nobody can see what the backup has of the stream";
    if (state == STREAM_UNSEEN || state == STREAM_UNDER_WAY)
        return;
    plug_or_fail(pace, PLUG_RELEASE_ONE);
    pace->unreleased = false;
}

void pace_look(struct pace *pace, bool noticed, int64_t now_ns)
{
    int64_t since_ns = stale_since_ns(pace, now_ns);
    if (noticed || watch_look_ns(&pace->watch) <= now_ns) {
        watch_renew(&pace->watch, now_ns); /* before the file is read: a change after this will be noticed */
        pace->ordered = order_file_read(pace->settings->order_path, &pace->order);
        since_ns = now_ns;
    }
    put_in_force(pace, since_ns);
    release(pace);
}

int64_t pace_look_ns(const struct pace *pace, int64_t now_ns)
{
    int64_t release_ns = pace->unreleased ? now_ns + RELEASE_LOOK_NS : NEVER_NS;
    return earlier_ns(release_ns,
                      earlier_ns(watch_look_ns(&pace->watch), order_next_change_ns(order_of(pace), now_ns)));
}

int64_t pace_due_ns(const struct pace *pace)
{
    return pace->committed_ns + pace->in_force.interval_ms * NS_PER_MS;
}

void pace_began(struct pace *pace, int64_t now_ns)
{
    pace->began_ns = now_ns;
    pace_suspending(pace);
}

void pace_suspending(struct pace *pace)
{
    pace->may_stand_still = true;
}

/* The kernel remembers one epoch that has ended (sch_plug): what belongs to this one before that is let out goes with the
 * next. */
void pace_resuming(struct pace *pace)
{
    if (pace->unreleased)
        return;
    plug_or_fail(pace, PLUG_HOLD);
    pace->ended_epoch = pace->plug->fd >= 0;
}

void pace_resumed(struct pace *pace, int64_t now_ns)
{
    pace->resumed_ns = now_ns;
    pace->may_stand_still = false;
}

/* From `since_ns` to `until_ns`; UNKNOWN_NS where either is not known. */
static int64_t between(int64_t since_ns, int64_t until_ns)
{
    return since_ns < 0 || until_ns < since_ns ? UNKNOWN_NS : until_ns - since_ns;
}

void pace_committed(struct pace *pace, int64_t now_ns)
{
    pace->unreleased = pace->unreleased || pace->ended_epoch;
    pace->ended_epoch = false;
    release(pace);
    struct checkpoint checkpoint = {.period_ns = UNKNOWN_NS, .pause_ns = UNKNOWN_NS, .send_ns = UNKNOWN_NS};
    if (pace->began_ns >= 0) { /* not so for the first copy */
        checkpoint.period_ns = between(pace->committed_ns, now_ns);
        checkpoint.pause_ns = between(pace->began_ns, pace->resumed_ns);
        checkpoint.send_ns = between(pace->resumed_ns, now_ns);
    }
    pace->committed_ns = now_ns;
    char text[REPORT_MOST_BYTES];
    report_socket_send(&pace->reports, text, report_checkpoint(text, pace->in_force, checkpoint));
}

void pace_ended(struct pace *pace, const char *reason)
{
    char text[REPORT_MOST_BYTES];
    report_socket_send(&pace->reports, text, report_ended(text, reason));
    say("replication ended: %s", reason);
}
