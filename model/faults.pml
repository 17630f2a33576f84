/* What may go wrong, at any time and any number of times. A link that is cut is one on which every message is lost. */
inline astray_acquire(h) {
    atomic { !calm && may_acquire(h) && late == NOTHING -> late = ACQUIRE; late_from = h }
}
inline astray_fence(h) {
    atomic { !calm && may_fence(h) && late_call == 0 -> late_call = mine[h]; late_caller = h }
}
/* A write whose answer is missing burns the epoch. */
inline astray_write(h, condition, what) {
    atomic { !calm && condition && late == NOTHING -> late = what; late_from = h; late_epoch = mine[h]; lose_lease(h) }
}
inline astray_take(h) { astray_write(h, may_take(h), TAKE) }
inline astray_protect(h) { astray_write(h, may_protect(h), PROTECT) }
inline astray_alone(h) { astray_write(h, may_go_alone(h), ALONE) }
inline astray_revoke(h) { astray_write(h, may_hand_over(h), REVOKE) }
inline lose_late(h) {
    d_step { !calm && late != NOTHING && late_from == h -> late = NOTHING; late_epoch = 0; late_from = 0 }
}
inline lose_call(h) {
    d_step { !calm && late_call != 0 && late_caller == h -> late_call = 0; late_caller = 0 }
}
inline break_stream(h) {
    d_step { !calm && stream != NO_STREAM && is_guest(h) -> stream = NO_STREAM }
}
/* Also a renewal that went astray, or came late. */
inline prolong_lease(h) {
    d_step { !calm && holder == h && ttl < TTL -> ttl = TTL }
}
inline freeze(h) {
    d_step { !calm && up(h) -> power[h] = FROZEN }
}
inline thaw(h) {
    d_step { !calm && power[h] == FROZEN -> power[h] = ON }
}
inline power_off(h) {
    d_step { !calm && up(h) -> power[h] = OFF; destroy(h) }
}
inline boot(h) {
    d_step { !calm && power[h] == OFF -> power[h] = ON; writes[h] = DRAINED }
}
inline kill_guard(h) {
    d_step { !calm && up(h) && (copy[h] == PAUSED || copy[h] == RUNS) && mine[h] != 0 ->
        mine[h] = 0; fenced[h] = false;
        age[h] = (copy[h] == RUNS && age[h] < PAUSE_AT -> PAUSE_AT : TTL) }
}
inline kill_receiver(h) {
    d_step { !calm && up(h) && (copy[h] == PARTIAL || copy[h] == WHOLE || copy[h] == BOOTING) -> destroy(h) }
}
active proctype Faults() {
end:
    do
    BOTH(astray_acquire)
    BOTH(astray_fence)
    BOTH(astray_take)
    BOTH(astray_protect)
    BOTH(astray_alone)
    BOTH(astray_revoke)
    BOTH(lose_late)
    BOTH(lose_call)
    BOTH(break_stream)
    BOTH(prolong_lease)
    BOTH(freeze)
    BOTH(thaw)
    BOTH(power_off)
    BOTH(boot)
    BOTH(kill_guard)
    BOTH(kill_receiver)
    od
}
