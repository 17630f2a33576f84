/* What must never be. */
#define two_writers (copy[A] == RUNS && may_write(A) && copy[B] == RUNS && may_write(B))
#define spoils(h) (writes[h] == OLD && may_write(h))
/* Its guard, if it keeps its promise, has not yet had to act. */
#define in_time(h) (up(h) && copy[h] == RUNS && age[h] <= PAUSE_AT)
#ifdef NO_HOLD
#define is_another_history(h) (in_time(h) && runner != h)
#else
#define is_another_history(h) (is_seen(h) && runner != h)
#endif
#define broken(what) printf(what); assert(false)

active proctype Properties() {
end:
    do
    :: d_step { two_writers -> broken("two copies can write the disk\n") }
    :: d_step { spoils(A) || spoils(B) -> broken("writes of an old copy reach the disk\n") }
    :: d_step { in_time(A) && holder != A || in_time(B) && holder != B -> broken("a copy runs without the lease\n") }
    :: d_step { in_time(A) && owner != A || in_time(B) && owner != B -> broken("a copy runs without the disk\n") }
    :: d_step { is_another_history(A) || is_another_history(B) -> broken("two histories are seen\n") }
#ifdef REACH
    :: d_step { REACH -> broken("reached\n") }
#endif
    od
}
