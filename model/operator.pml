/* The acts. */
#ifdef NO_DRAIN
#define drain(h) skip
#else
#define drain(h) writes[h] = DRAINED
#endif
#define is_guest(h) (copy[h] == RUNS || copy[h] == PAUSED || copy[h] == BOOTING)
#define may_hand_over(h) (!calm && leads(h) && output[h] == PROTECTED)

inline order_protection(h) {
    d_step { !calm && leads(h) && output[h] == OPEN && stream == NO_STREAM && up(other(h)) && copy[other(h)] == NONE ->
        copy[other(h)] = PARTIAL; stream = FIRST_COPY; drain(other(h)) }
}
/* Paused first; from then on its epoch is dead to it, whatever becomes of the request. */
inline hand_over(h) {
    d_step { may_hand_over(h) ->
        if
        :: holds(h, mine[h]) -> holder = NOBODY; ttl = 0
        :: else
        fi;
        lose_lease(h) }
}
inline order_start(h) {
    d_step { !calm && up(h) && copy[h] == NONE && copy[other(h)] == NONE && holder == NOBODY ->
        drain(h); copy[h] = BOOTING; grant(h); mine[h] = epoch; age[h] = 0 }
}
active proctype Operator() {
end:
    do
    BOTH(order_protection)
    BOTH(hand_over)
    BOTH(order_start)
    od
}
