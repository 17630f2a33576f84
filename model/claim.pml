/* How a host comes to run the guest: lease, fence, record, in this order. A guard that has lost its lease, a gate and an
 * operator's start all go this way. */
#define may_acquire(h) (up(h) && mine[h] == 0 && reaches(h) && (copy[h] == PAUSED || copy[h] == WHOLE))
#define may_fence(h) (up(h) && mine[h] != 0 && reaches(h) && !fenced[h])
#define may_take(h) (up(h) && fenced[h] && (copy[h] == WHOLE || copy[h] == BOOTING))

inline acquire(h) {
    d_step { may_acquire(h) && !superseded(h) && holder == NOBODY -> grant(h); mine[h] = epoch; age[h] = 0 }
}
/* The copy of a stream that still flows is not yet told of in the record. */
inline give_up(h) {
    d_step { may_acquire(h) && superseded(h) && (copy[h] == PAUSED || stream == NO_STREAM) -> destroy(h) }
}
inline fence(h) {
    d_step { may_fence(h) ->
        if
        :: is_new(mine[h]) -> owner = h; fence_epoch = mine[h]; fenced[h] = true
        :: else -> lose_lease(h)
        fi }
}
inline take_over(h) {
    d_step { may_take(h) ->
        if
        :: holds(h, mine[h]) -> take(h); copy[h] = PAUSED; stream = NO_STREAM
        :: else -> lose_lease(h)
        fi }
}
active proctype Claim() {
end:
    do
    BOTH(acquire)
    BOTH(give_up)
    BOTH(fence)
    BOTH(take_over)
    od
}
