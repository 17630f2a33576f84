/* One guest, two hosts, a lease server, a disk: can there ever be two live copies?
 *
 * Each step is one act of one component, and between any two of them everything else may happen. README.md says what is
 * shown, what is assumed, and which switches (-DNO_FENCE ...) take a part of the design away so that the check must fail.
 */
#define A 0
#define B 1
#define NOBODY 2
#define other(h) (1 - (h))
#define BOTH(step) :: step(A) :: step(B)

/* In ticks, whose length does not matter; README.md, "Clocks". */
#define PAUSE_AT 1 /* a guard that has renewed nothing for so long pauses its guest before the next tick */
#define TTL 2      /* a lease lives at least so long after it was renewed */

mtype:power = { ON, FROZEN, OFF };
mtype:copy = {
    NONE,
    PARTIAL, /* the first full copy is on its way */
    WHOLE,   /* waits for the primary's death */
    BOOTING, /* an operator wants the guest started */
    PAUSED,  /* is the guest, as far as its host knows, and stands still */
    RUNS
};
mtype:output = { OPEN, HELD, PROTECTED }; /* PROTECTED: held, and the record tells of the backup */
mtype:stream = { NO_STREAM, FIRST_COPY, CHECKPOINTS };
mtype:writes = { DRAINED, OWN, OLD };

/* On the lease server: a lease, which ends by itself, and a record, which stays. */
byte holder = NOBODY, epoch = 0, ttl = 0;
byte runner = NOBODY;    /* the host whose copy is the guest */
bool has_backup = false; /* the other host's copy may become the guest */

/* On the storage. */
byte owner = NOBODY, fence_epoch = 0;

/* On each host. */
mtype:power power[2] = ON;
mtype:copy copy[2] = NONE;
mtype:output output[2] = OPEN;
byte mine[2] = 0;        /* the epoch under which it believes to hold the lease; 0: it does not */
bool fenced[2] = false;  /* under that epoch the disk is its own */
byte age[2] = TTL;       /* ticks since the renewal was sent that was answered last */
mtype:writes writes[2] = DRAINED; /* a host that has run the guest has writes under way until they are drained; OLD:
                                     of a copy that is the guest no more */
mtype:stream stream = NO_STREAM;
bool ahead = true;       /* clients have seen what the backup does not know */

#define up(h) (power[h] == ON)

#ifdef CALM
bool calm = false, reach[2] = true;
#define reaches(h) (!calm || reach[h])
#else
#define calm false
#define reaches(h) true
#endif

inline lose_lease(h) {
    mine[h] = 0; fenced[h] = false; age[h] = TTL;
    if
    :: copy[h] == RUNS -> copy[h] = PAUSED
    :: copy[h] == BOOTING -> copy[h] = NONE
    :: else
    fi
}
inline destroy(h) {
    lose_lease(h); copy[h] = NONE; output[h] = OPEN; stream = NO_STREAM
}

#include "network.pml"
#include "lease_server.pml"
#include "storage.pml"
#include "guard.pml"
#include "claim.pml"
#include "replication.pml"
#include "operator.pml"
#include "faults.pml"
#include "clock.pml"
#include "properties.pml"
