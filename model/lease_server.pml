/* etcd: each request is one transaction, and durable when it is answered. */

/* Epochs grow for ever, yet only their order counts: unused ones are closed up, so that there are finitely many states. */
#define used(n) (mine[A] == n || mine[B] == n || late_epoch == n || late_call == n || fence_epoch == n)
#define close_up(x) x = x - (x > n)
byte n;
inline close_gaps() {
    n = 1;
    do
    :: n < epoch && used(n) -> n++
    :: n < epoch && !used(n) ->
        close_up(mine[A]); close_up(mine[B]); close_up(late_epoch); close_up(late_call); close_up(fence_epoch);
        close_up(epoch)
    :: else -> break
    od;
    n = 0
}

#ifdef NO_EPOCH
#define holds(h, number) (holder == h)
#else
#define holds(h, number) (holder == h && epoch == number)
#endif
/* Another's copy is the guest, and this host's is no backup of it. */
#define superseded(h) (runner != h && !has_backup)

inline grant(h) {
    holder = h; ttl = TTL; epoch++; close_gaps()
}
inline take(h) {
#ifndef NO_HOLD
    assert(!(copy[h] == WHOLE && runner != h && ahead));
#endif
    runner = h; has_backup = false; ahead = true;
    if
    :: writes[A] == OWN -> writes[A] = OLD
    :: else
    fi;
    if
    :: writes[B] == OWN -> writes[B] = OLD
    :: else
    fi
}
inline write_record(h, what) {
    if
    :: what == TAKE -> take(h)
    :: what == PROTECT -> has_backup = true
    :: what == ALONE -> has_backup = false
    :: what == REVOKE -> holder = NOBODY; ttl = 0
    fi
}

inline serve_late(h) {
    d_step { late != NOTHING && late_from == h ->
        if
        :: late == ACQUIRE && !superseded(h) && holder == NOBODY -> grant(h)
        :: late != ACQUIRE && holds(h, late_epoch) -> write_record(h, late)
        :: else
        fi;
        late = NOTHING; late_from = 0; late_epoch = 0 }
}
inline expire(h) {
    d_step { holder == h && ttl == 0 -> holder = NOBODY }
}
active proctype LeaseServer() {
end:
    do
    BOTH(serve_late)
    BOTH(expire)
    od
}
