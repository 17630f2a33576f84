/* A host's guard: renews its lease, and pauses the guest before the lease can end. */

#define is_ready(h) (mine[h] != 0 && (fenced[h] || !FENCE_FIRST))

inline renew(h) {
    d_step { reaches(h) && mine[h] != 0 && (age[h] > 0 || was_frozen[h]) ->
        if
        :: holds(h, mine[h]) -> say(h, "renews\n"); ttl = TTL; age[h] = 0; was_frozen[h] = false
        :: else -> say(h, "learns that its lease is lost\n"); lose_lease(h)
        fi }
}
inline hear_late(h) {
    d_step { !FROM_SENDING && up(h) && mine[h] != 0 && age[h] == 1 -> say(h, "hears a renewal's answer\n"); age[h] = 0 }
}
inline pause(h) {
    d_step { up(h) && copy[h] == RUNS && age[h] >= PAUSE_AT -> say(h, "pauses\n");
        copy[h] = PAUSED;
        if
        :: mine[h] == 0 -> was_frozen[h] = false
        :: else
        fi }
}
inline unpause(h) {
    d_step { up(h) && copy[h] == PAUSED && is_ready(h) && age[h] < PAUSE_AT -> say(h, "runs\n");
        copy[h] = RUNS;
        if
        :: writes[h] == DRAINED -> writes[h] = OWN
        :: else
        fi }
}
active proctype Guard() {
end:
    do
    BOTH(renew)
    BOTH(hear_late)
    BOTH(pause)
    BOTH(unpause)
    od
}
