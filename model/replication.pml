/* xl remus and its pacer on one side, the receiver on the other. A checkpoint counts when the receiver has
 * acknowledged it. */

#define leads(h) (reaches(h) && is_ready(h) && (copy[h] == RUNS || copy[h] == PAUSED))
#define may_protect(h) (leads(h) && output[h] == HELD && stream == CHECKPOINTS && !ahead)
/* Because the stream has ended, or because an operator wants it to end. */
#define may_go_alone(h) (leads(h) && output[h] != OPEN && (stream == NO_STREAM || !calm))
#define is_seen(h) (up(h) && copy[h] == RUNS && (output[h] == OPEN || !HOLD))

inline complete_first_copy(h) {
    d_step { stream == FIRST_COPY && up(h) && copy[h] == RUNS && up(other(h)) -> say(h, "has sent the first copy\n");
        copy[other(h)] = WHOLE; stream = CHECKPOINTS; output[h] = HELD; ahead = true }
}
inline checkpoint(h) {
    d_step { stream == CHECKPOINTS && up(h) && copy[h] == RUNS && up(other(h)) && ahead -> say(h, "is checkpointed\n");
        ahead = false }
}
inline protect(h) {
    d_step { may_protect(h) ->
        if
        :: holds(h, mine[h]) -> say(h, "is protected\n"); has_backup = true; output[h] = PROTECTED
        :: else -> lose_lease(h)
        fi }
}
inline go_alone(h) {
    d_step { may_go_alone(h) ->
        if
        :: holds(h, mine[h]) -> say(h, "goes on alone\n");
            has_backup = false; output[h] = OPEN; ahead = true; stream = NO_STREAM
        :: else -> lose_lease(h)
        fi }
}
inline open_early(h) {
    d_step { !ALONE_FIRST && up(h) && output[h] != OPEN && stream == NO_STREAM -> say(h, "lets its output go\n");
        output[h] = OPEN; ahead = true }
}
inline give_up_part(h) {
    d_step { up(h) && copy[h] == PARTIAL && stream == NO_STREAM -> say(h, "destroys a part of a copy\n"); destroy(h) }
}
active proctype Replication() {
end:
    do
    BOTH(complete_first_copy)
    BOTH(checkpoint)
    BOTH(protect)
    BOTH(go_alone)
    BOTH(open_early)
    BOTH(give_up_part)
    od
}
