/* What may go wrong, at any time, any number of times. A cut link, whole or one way, is one on which requests go astray
 * and streams break. */

#define may_stray (late == NOTHING && !calm)

inline stray_acquire(h) {
    d_step { may_stray && may_acquire(h) -> say(h, "asks for the lease and hears nothing\n"); go_astray(h, ACQUIRE) }
}
inline stray_fence(h) {
    d_step { may_stray && may_fence(h) -> say(h, "calls the fence and hears nothing\n"); go_astray(h, FENCE_CALL) }
}
inline burn(h) {
    if
    :: BURN -> lose_lease(h)
    :: else
    fi
}
inline stray_take(h) {
    d_step { may_stray && may_take(h) -> say(h, "writes that it takes over and hears nothing\n");
        go_astray(h, TAKE); burn(h) }
}
inline stray_protect(h) {
    d_step { may_stray && may_protect(h) -> say(h, "writes of its backup and hears nothing\n");
        go_astray(h, PROTECT); burn(h) }
}
inline stray_alone(h) {
    d_step { may_stray && may_go_alone(h) -> say(h, "writes that it is alone and hears nothing\n");
        go_astray(h, ALONE); burn(h) }
}
inline stray_revoke(h) {
    d_step { may_stray && may_hand_over(h) -> say(h, "hands over and hears nothing\n");
        go_astray(h, REVOKE); revoke(h) }
}
inline lose_late(h) {
    d_step { late != NOTHING && late_from == h && !calm -> say(h, "asks in vain\n"); forget_late() }
}
/* The lease server restarts, or a renewal that nobody waits for arrives. */
inline prolong(h) {
    d_step { holder == h && ttl < TTL && !calm -> say(h, "has its lease prolonged\n"); ttl = TTL }
}
/* The link is cut; xl remus, its helper, the transport is killed, or a unit stopped. */
inline break_stream() {
    d_step { stream != NO_STREAM && !calm -> printf("the stream breaks\n"); stream = NO_STREAM }
}
inline kill_receiver(h) {
    d_step { up(h) && is_copy(h) && !calm -> say(h, "loses its receiver\n"); destroy(h) }
}
inline kill_guard(h) {
    d_step { up(h) && (copy[h] == PAUSED || copy[h] == RUNS) && mine[h] != 0 && !calm -> say(h, "loses its guard\n");
        mine[h] = 0; fenced[h] = false;
        age[h] = (copy[h] == RUNS && age[h] < PAUSE_AT -> PAUSE_AT : LONG) }
}
inline crash(h) {
    d_step { up(h) && copy[h] == RUNS && !calm -> say(h, "loses its guest to a crash\n"); destroy(h) }
}
inline freeze(h) {
    d_step { up(h) && !calm -> say(h, "freezes\n"); power[h] = FROZEN }
}
inline thaw(h) {
    d_step { power[h] == FROZEN && !calm -> say(h, "goes on\n"); power[h] = ON; has_thawed[h] = (copy[h] == RUNS) }
}
/* What it has sent to the disk outlives it in the network, but not its boot. */
inline power_off(h) {
    d_step { up(h) && !calm -> say(h, "loses power\n"); power[h] = OFF; destroy(h) }
}
inline boot(h) {
    d_step { power[h] == OFF && !calm -> say(h, "boots\n"); power[h] = ON; writes[h] = DRAINED }
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
    BOTH(kill_receiver)
    BOTH(kill_guard)
    BOTH(crash)
    BOTH(freeze)
    BOTH(thaw)
    BOTH(power_off)
    BOTH(boot)
    od
}
