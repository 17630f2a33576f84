/* xl remus, its pacer and the receiver. A checkpoint counts when the receiver has acknowledged it. */
#define leads(h) (up(h) && mine[h] != 0 && fenced[h] && reaches(h) && (copy[h] == RUNS || copy[h] == PAUSED))
#define may_protect(h) (leads(h) && output[h] == HELD && stream == CHECKPOINTS && !ahead)
#define may_go_alone(h) (leads(h) && output[h] != OPEN && (stream == NO_STREAM || !calm))

inline complete_first_copy(h) {
    d_step { stream == FIRST_COPY && up(h) && up(other(h)) && copy[h] == RUNS ->
        copy[other(h)] = WHOLE; stream = CHECKPOINTS; output[h] = HELD }
}
inline checkpoint(h) {
    d_step { stream == CHECKPOINTS && ahead && up(h) && up(other(h)) && copy[h] == RUNS -> ahead = false }
}
inline protect(h) {
    d_step { may_protect(h) ->
        if
        :: holds(h, mine[h]) -> has_backup = true; output[h] = PROTECTED
        :: else -> lose_lease(h)
        fi }
}
inline go_alone(h) {
    d_step { may_go_alone(h) ->
        if
        :: holds(h, mine[h]) -> has_backup = false; output[h] = OPEN; stream = NO_STREAM
        :: else -> lose_lease(h)
        fi }
}
inline give_up_part(h) {
    d_step { up(h) && copy[h] == PARTIAL && stream == NO_STREAM -> destroy(h) }
}
inline miss_peer(h) {
    d_step { stream != NO_STREAM && !up(h) -> stream = NO_STREAM }
}
#ifdef NO_HOLD
#define is_seen(h) (up(h) && copy[h] == RUNS)
#else
#define is_seen(h) (up(h) && copy[h] == RUNS && output[h] == OPEN)
#endif
inline be_seen(h) {
    d_step { is_seen(h) && runner == h && !ahead && !calm -> ahead = true }
}
active proctype Replication() {
end:
    do
    BOTH(complete_first_copy)
    BOTH(checkpoint)
    BOTH(protect)
    BOTH(go_alone)
    BOTH(give_up_part)
    BOTH(miss_peer)
    BOTH(be_seen)
    od
}
