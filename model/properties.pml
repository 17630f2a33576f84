/* What must never be, and what must come when faults end. That a backup which takes over knows all that clients
 * have seen is looked at in lease_server.pml, that it is whole in claim.pml. */

#define two_writers (copy[A] == RUNS && may_write(A) && copy[B] == RUNS && may_write(B))
#define spoils(h) (writes[h] == OLD && may_write(h))
/* Runs, and has not been frozen since it renewed its lease. */
#define in_time(h) (up(h) && copy[h] == RUNS && !was_frozen[h])
/* Without held output, an old copy can be seen from its thaw until it next renews or pauses. */
#define is_old_seen(h) (is_seen(h) && runner != h && (HOLD || in_time(h)))

active proctype Properties() {
end:
    do
    :: d_step { two_writers -> broken("broken: two copies can write the disk\n") }
    :: d_step { spoils(A) || spoils(B) -> broken("broken: writes of an old copy reach the disk\n") }
    :: d_step { in_time(A) && holder != A || in_time(B) && holder != B -> broken("broken: runs without the lease\n") }
    :: d_step { in_time(A) && owner != A || in_time(B) && owner != B -> broken("broken: runs without the disk\n") }
    :: d_step { is_old_seen(A) || is_old_seen(B) -> broken("broken: two histories are seen\n") }
    od
}

#ifndef BOUND
#define BOUND TTL /* ticks without faults, after which the guest runs */
#endif
#define can_run(h) (reaches(h) && ((copy[h] == PAUSED || copy[h] == RUNS) && runner == h || \
                                   copy[h] == WHOLE && (runner == h || has_backup)))
#define is_served (in_time(A) || in_time(B) || !(can_run(A) || can_run(B)))
