/* The acts: start, protect (from wherever the guest lives), hand over. To stop is to go alone, in replication.pml. */

#define may_hand_over(h) (leads(h) && output[h] == PROTECTED && !calm)

inline drain(h) {
    if
    :: DRAIN -> writes[h] = DRAINED
    :: else -> age_writes(h)
    fi
}
inline order_start(h) {
    d_step { reaches(h) && copy[h] == NONE && (copy[other(h)] == NONE || !START_ASKS) && holder == NOBODY && !calm ->
        say(h, "is to start the guest: acquires the lease\n");
        drain(h); copy[h] = BOOTING; grant(h); mine[h] = epoch; age[h] = 0 }
}
inline order_protection(h) {
    d_step { leads(h) && (output[h] == OPEN || !FRESH) && stream == NO_STREAM && copy[other(h)] == NONE && !calm ->
        say(h, "begins to replicate\n");
        drain(other(h)); copy[other(h)] = PARTIAL; stream = FIRST_COPY }
}
inline revoke(h) {
    if
    :: DEAD_EPOCH && PAUSE_FIRST -> lose_lease(h)
    :: !DEAD_EPOCH -> copy[h] = PAUSED
    :: !PAUSE_FIRST -> mine[h] = 0; fenced[h] = false; age[h] = PAUSE_AT
    fi
}
inline hand_over(h) {
    d_step { may_hand_over(h) -> say(h, "hands over\n");
        if
        :: holds(h, mine[h]) -> write_revoked()
        :: else
        fi;
        revoke(h) }
}
active proctype Operator() {
end:
    do
    BOTH(order_start)
    BOTH(order_protection)
    BOTH(hand_over)
    od
}
