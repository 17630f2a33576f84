/* One guest, two hosts, a lease server, a disk: can there ever be two live copies?
 *
 * Each step is one act of one component, and between any two of them all others may act. README.md says what is shown,
 * and what is assumed.
 */
#include "parts.pml"

#define A 0
#define B 1
#define NOBODY 2
#define FORMER 1 /* some epoch that is over */
#define other(h) (1 - (h))
#define BOTH(step) :: step(A) :: step(B)
#define say(h, what) printf("%c ", 65 + h); printf(what)
#define broken(what) printf(what); assert(false)

/* In ticks, whose length does not matter; README.md, "Clocks". */
#ifndef TTL
#define TTL 2 /* a lease lives at least so long after it was renewed */
#endif
#define PAUSE_AT (TTL - 1) /* a guard that has renewed nothing for so long pauses its guest before the next tick */
#define LONG TTL

mtype:copy = {
    NONE,
    PARTIAL, /* the first full copy is on its way */
    WHOLE,   /* waits for its primary's death */
    BOOTING, /* an operator wants the guest started */
    PAUSED,  /* is the guest, as far as its host knows, and stands still */
    RUNS
};
mtype:output = { OPEN, HELD, PROTECTED }; /* PROTECTED: held, and the record tells of the backup */
mtype:stream = { NO_STREAM, FIRST_COPY, CHECKPOINTS };
mtype:writes = { DRAINED, OWN, OLD };

/* On the lease server: a lease, which ends by itself, and a record, which stays. */
byte holder = NOBODY, epoch = FORMER, ttl = 0;
byte runner = NOBODY;    /* the host whose copy is the guest */
bool has_backup = false; /* the other host's copy may become the guest */

/* On the storage. */
byte owner = NOBODY, fence_epoch = 0;

/* On each host. */
bool is_frozen[2] = false;
mtype:copy copy[2] = NONE;
mtype:output output[2] = OPEN;
byte mine[2] = 0;       /* the epoch under which it believes to hold the lease; 0: it does not */
bool fenced[2] = false; /* under that epoch the disk is its own */
byte age[2] = LONG;     /* ticks since the sending of the renewal that was answered last */
mtype:writes writes[2] = DRAINED; /* who has run the guest has writes under way, until they are drained; OLD: of a copy
                                     that is the guest no more */
mtype:stream stream = NO_STREAM;

/* What only the checker knows. */
bool ahead = true;              /* clients may have seen what the backup does not know */
bool was_frozen[2] = false;     /* and has renewed nothing since */
bool calm = false;              /* faults and acts are over */
bool is_reaching[2] = true;     /* lease server and storage, when all is calm */

#define up(h) (!is_frozen[h])
#define reaches(h) (up(h) && is_reaching[h])

inline lose_lease(h) {
    mine[h] = 0; fenced[h] = false; age[h] = LONG; was_frozen[h] = false;
    if
    :: copy[h] == RUNS -> copy[h] = PAUSED
    :: copy[h] == BOOTING -> copy[h] = NONE
    :: else
    fi
}
inline destroy(h) {
    lose_lease(h); copy[h] = NONE; output[h] = OPEN; stream = NO_STREAM
}

/* A request is mostly sent, served and heard in one step. Or it goes astray: it is served late, or never, and nobody
 * hears the answer. One such request of each host may be on its way. */
mtype:request = { NOTHING, ACQUIRE, FENCE_CALL, TAKE, PROTECT, ALONE, REVOKE };
mtype:request late[2] = NOTHING;
byte late_epoch[2] = 0;

inline go_astray(h, what) {
    late[h] = what; late_epoch[h] = mine[h]
}
inline forget_late(h) {
    late[h] = NOTHING; late_epoch[h] = 0
}

#include "lease_server.pml"
#include "storage.pml"
#include "guard.pml"
#include "claim.pml"
#include "replication.pml"
#include "operator.pml"
#include "faults.pml"
#include "properties.pml"
#include "clock.pml"
