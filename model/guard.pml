/* The guard of a host: renews what it holds, pauses before the lease can end. */
inline renew(h) {
    d_step { up(h) && mine[h] != 0 && age[h] > 0 && reaches(h) ->
        if
        :: holds(h, mine[h]) -> ttl = TTL; age[h] = 0
        :: else -> lose_lease(h)
        fi }
}
inline pause(h) {
    d_step { up(h) && copy[h] == RUNS && age[h] >= PAUSE_AT -> copy[h] = PAUSED }
}
inline unpause(h) {
    d_step { up(h) && copy[h] == PAUSED && fenced[h] && age[h] < PAUSE_AT ->
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
    BOTH(pause)
    BOTH(unpause)
    od
}
