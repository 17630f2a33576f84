/* The parts of the design that keep one copy alive. -DFENCE=0 takes one away, and the check must then find an error.
 * README.md tells of each what the implementation must do, and what goes wrong without it. */
#ifndef GATE
#define GATE 1 /* the stream's end alone wakes nothing */
#endif
#ifndef MARGIN
#define MARGIN 1 /* a guard pauses before its lease can end */
#endif
#ifndef FROM_SENDING
#define FROM_SENDING 1 /* a renewal counts from when it was sent, not from its answer */
#endif
#ifndef MINDER
#define MINDER 1 /* a guard's death pauses the guest, too */
#endif
#ifndef EPOCH
#define EPOCH 1 /* a request in the name of an older epoch is refused */
#endif
#ifndef FENCE
#define FENCE 1 /* only the owner's writes reach the disk */
#endif
#ifndef FENCE_FIRST
#define FENCE_FIRST 1 /* nothing runs before the fence has answered under this epoch */
#endif
#ifndef FENCE_LASTS
#define FENCE_LASTS 1 /* the storage's restart forgets no epoch */
#endif
#ifndef DRAIN
#define DRAIN 1 /* a host takes no new copy while writes of an old one may be under way */
#endif
#ifndef RECORD
#define RECORD 1 /* a backup takes over only where the record tells of it */
#endif
#ifndef ALONE_FIRST
#define ALONE_FIRST 1 /* output is let go only when the record tells of no backup */
#endif
#ifndef FRESH
#define FRESH 1 /* a new replication begins only when the record tells of no backup */
#endif
#ifndef BURN
#define BURN 1 /* a write of the record whose answer is missing ends the epoch */
#endif
#ifndef PAUSE_FIRST
#define PAUSE_FIRST 1 /* a lease is given up only when the guest stands still */
#endif
#ifndef DEAD_EPOCH
#define DEAD_EPOCH 1 /* an epoch that was to be given up is never used again */
#endif
#ifndef START_ASKS
#define START_ASKS 1 /* a guest is started only where neither host has a copy */
#endif

/* Not a part to be missed: without it weaker properties hold, and these are checked instead. */
#ifndef HOLD
#define HOLD 1 /* a protected guest's output is held until the backup has the checkpoint */
#endif
