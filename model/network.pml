/* A request is mostly sent, answered and heard in one step. Or it goes astray: nobody hears the answer, and it may be
 * served at once, late (one such request at a time on the way to each server), or never. */
mtype:request = { NOTHING, ACQUIRE, TAKE, PROTECT, ALONE, REVOKE };
mtype:request late = NOTHING;
byte late_from = 0, late_epoch = 0;
byte late_call = 0, late_caller = 0; /* to the fence */

