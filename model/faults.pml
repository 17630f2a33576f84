/* What may go wrong, at any time, any number of times. A cut link, whole or one way, is one on which requests go astray
 * and streams break. */

#define may_stray(h) (late[h] == NOTHING && !calm)

inline stray_acquire(h) {
    d_step { may_stray(h) && may_acquire(h) -> say(h, "asks for the lease and hears nothing\n"); go_astray(h, ACQUIRE) }
}
inline stray_fence(h) {
    d_step { may_stray(h) && may_fence(h) -> say(h, "calls the fence and hears nothing\n"); go_astray(h, FENCE_CALL) }
}
inline burn(h) {
    if
    :: BURN -> lose_lease(h)
    :: else
    fi
}
inline stray_take(h) {
    d_step { may_stray(h) && may_take(h) -> say(h, "writes that it takes over and hears nothing\n");
        go_astray(h, TAKE); burn(h) }
}
inline stray_protect(h) {
    d_step { may_stray(h) && may_protect(h) -> say(h, "writes of its backup and hears nothing\n");
        go_astray(h, PROTECT); burn(h) }
}
inline stray_alone(h) {
    d_step { may_stray(h) && may_go_alone(h) -> say(h, "writes that it is alone and hears nothing\n");
        go_astray(h, ALONE); burn(h) }
}
inline stray_revoke(h) {
    d_step { may_stray(h) && may_hand_over(h) -> say(h, "hands over and hears nothing\n");
        go_astray(h, REVOKE); revoke(h) }
}
inline lose_late(h) {
    d_step { late[h] != NOTHING && !calm -> say(h, "asks in vain\n"); forget_late(h) }
}
/* The lease server restarts, or a renewal that nobody waits for arrives. */
inline prolong(h) {
    d_step { holder == h && ttl < TTL && !calm -> say(h, "has its lease prolonged\n"); ttl = TTL }
}
/* The link is cut; xl remus, its helper, the transport is killed, or a unit stopped. */
inline break_stream() {
    d_step { stream != NO_STREAM && !calm -> printf("the stream breaks\n"); stream = NO_STREAM }
}
inline kill_guard(h) {
    d_step { up(h) && (copy[h] == PAUSED || copy[h] == RUNS) && mine[h] != 0 && !calm -> say(h, "loses its guard\n");
        mine[h] = 0; fenced[h] = false;
        age[h] = (copy[h] == RUNS && age[h] < PAUSE_AT -> PAUSE_AT : LONG) }
}
/* The host loses power, or boots; the receiver is killed, or the guest crashes. Nothing comes back by itself, so a host
 * without power is one that has no copy and does nothing. What it has sent to the disk is under way still. */
inline lose_copy(h) {
    d_step { up(h) && copy[h] != NONE && !calm -> say(h, "loses its copy\n"); destroy(h) }
}
/* Its clock may stand still, too: when it goes on it takes its lease for fresh. Where no lease is to be kept a frozen
 * host is only slow, which all are at all times. */
inline freeze(h) {
    d_step { up(h) && (copy[h] == RUNS || copy[h] == PAUSED && mine[h] != 0) && !calm -> say(h, "freezes\n");
        is_frozen[h] = true; was_frozen[h] = true; age[h] = 0 }
}
inline thaw(h) {
    d_step { is_frozen[h] && !calm -> say(h, "goes on\n"); is_frozen[h] = false }
}
active proctype Faults() {
end:
    do
    BOTH(stray_acquire)
    BOTH(stray_fence)
    BOTH(stray_take)
    BOTH(stray_protect)
    BOTH(stray_alone)
    BOTH(stray_revoke)
    BOTH(lose_late)
    BOTH(prolong)
    :: break_stream()
    BOTH(kill_guard)
    BOTH(lose_copy)
    BOTH(freeze)
    BOTH(thaw)
    od
}
