/* etcd: each request is one transaction, durable before it is answered. */

#define holds(h, number) (holder == h && (epoch == number || !EPOCH))
/* Another host's copy is the guest, and this host's is no backup of it. */
#define superseded(h) (runner != h && (RECORD -> !has_backup : copy[h] == PAUSED))

/* Epochs grow for ever, but the fence needs no more than their order, and the lease server no more than whether it is
 * the present one. So gaps are closed and what is over is called FORMER: then there are finitely many states. */
#define used(n) (mine[A] == n || mine[B] == n || late_epoch[A] == n || late_epoch[B] == n || fence_epoch == n)
#define close_up(x) x = x - (x > n)
byte n = 0;
inline close_gaps() {
    n = FORMER + 1;
    do
    :: n < epoch && used(n) -> n++
    :: n < epoch && !used(n) ->
        close_up(mine[A]); close_up(mine[B]); close_up(late_epoch[A]); close_up(late_epoch[B]);
        close_up(fence_epoch); close_up(epoch)
    :: else -> break
    od;
    n = 0
}
inline end_epoch(h) {
    if
    :: mine[h] != 0 && fenced[h] -> mine[h] = FORMER
    :: else
    fi;
    if
    :: EPOCH && late_epoch[h] != 0 && late[h] != FENCE_CALL -> forget_late(h) /* it would be refused */
    :: else
    fi
}
inline grant(h) {
    end_epoch(A); end_epoch(B); holder = h; ttl = TTL; epoch++; close_gaps()
}

inline age_writes(h) {
    if
    :: writes[h] == OWN -> writes[h] = OLD
    :: else
    fi
}
inline write_taken(h) {
    if
    :: HOLD && copy[h] == WHOLE && runner != h && ahead -> broken("broken: the guest forgets what clients have seen\n")
    :: else
    fi;
    runner = h; has_backup = false; ahead = true; age_writes(other(h))
}
inline write_revoked() {
    holder = NOBODY; ttl = 0
}
inline serve_late(h) {
    d_step { late[h] != NOTHING && late[h] != FENCE_CALL -> say(h, "is served late\n");
        if
        :: late[h] == ACQUIRE && !superseded(h) && holder == NOBODY -> grant(h)
        :: late[h] == TAKE && holds(h, late_epoch[h]) -> write_taken(h)
        :: late[h] == PROTECT && holds(h, late_epoch[h]) -> has_backup = true
        :: late[h] == ALONE && holds(h, late_epoch[h]) -> has_backup = false
        :: late[h] == REVOKE && holds(h, late_epoch[h]) -> write_revoked()
        :: else
        fi;
        forget_late(h) }
}
inline expire(h) {
    d_step { holder == h && ttl == 0 -> say(h, "holds the lease no more\n"); holder = NOBODY }
}
active proctype LeaseServer() {
end:
    do
    BOTH(serve_late)
    BOTH(expire)
    od
}
