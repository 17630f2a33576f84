/* How a copy comes to run: lease, fence, record, and only then awake. A gate goes this way, a guard that has lost its
 * lease (the record names its host already), and an operator's start (operator.pml). */

/* Even a gate that did not look whether its copy is whole would do no harm: the record tells of whole ones only. */
#define is_copy(h) (copy[h] == WHOLE || copy[h] == PARTIAL)
#define may_acquire(h) (reaches(h) && mine[h] == 0 && (copy[h] == PAUSED || is_copy(h)))
#define may_fence(h) (reaches(h) && mine[h] != 0 && !fenced[h])
#define may_take(h) (up(h) && is_ready(h) && (copy[h] == BOOTING || is_copy(h)))

inline acquire(h) {
    d_step { may_acquire(h) && !superseded(h) && holder == NOBODY -> say(h, "acquires the lease\n");
        grant(h); mine[h] = epoch; age[h] = 0 }
}
/* Of the copy whose stream still flows the record will tell. */
inline give_up(h) {
    d_step { may_acquire(h) && superseded(h) && (copy[h] == PAUSED || stream == NO_STREAM) ->
        say(h, "is superseded: destroys its copy\n"); destroy(h) }
}
inline fence(h) {
    d_step { may_fence(h) -> say(h, "calls the fence\n");
        if
        :: is_new(mine[h]) -> give_disk(h, mine[h]); fenced[h] = true
        :: else -> lose_lease(h)
        fi }
}
inline take_over(h) {
    d_step { may_take(h) ->
        if
        :: holds(h, mine[h]) && copy[h] == PARTIAL -> broken("broken: runs from a part of a copy\n")
        :: holds(h, mine[h]) && copy[h] != PARTIAL -> say(h, "is the guest's host now\n");
            write_taken(h); copy[h] = PAUSED; stream = NO_STREAM
        :: else -> lose_lease(h)
        fi }
}
/* What xl does where nothing stands between the stream and its receiver. */
inline wake_ungated(h) {
    d_step { !GATE && up(h) && copy[h] == WHOLE && stream == NO_STREAM -> say(h, "wakes its copy\n");
        copy[h] = RUNS; age[h] = PAUSE_AT; writes[h] = OWN }
}
active proctype Claim() {
end:
    do
    BOTH(acquire)
    BOTH(give_up)
    BOTH(fence)
    BOTH(take_over)
    BOTH(wake_ungated)
    od
}
