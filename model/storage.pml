/* F: the disk belongs to the host that has called the fence under the highest epoch; others' writes are refused. */

#define may_write(h) (owner == (h) || !FENCE)
#define is_new(number) (number >= fence_epoch || !EPOCH)

inline give_disk(h, number) {
    if
    :: is_new(number) -> owner = h; fence_epoch = number
    :: else
    fi
}
inline serve_late_call(h) {
    d_step { late[h] == FENCE_CALL -> say(h, "calls the fence late\n");
        give_disk(h, late_epoch[h]); forget_late(h) }
}
inline forget_epoch() {
    d_step { !FENCE_LASTS && !calm && fence_epoch > 0 -> printf("F forgets the epoch\n"); fence_epoch = 0 }
}
active proctype Storage() {
end:
    do
    BOTH(serve_late_call)
    :: forget_epoch()
    od
}
