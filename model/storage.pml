/* F: the disk belongs to the host that called the fence with the highest epoch; the others' writes are refused. */
#ifdef NO_FENCE
#define may_write(h) true
#else
#define may_write(h) (owner == (h))
#endif
#ifdef NO_EPOCH
#define is_new(number) true
#else
#define is_new(number) (number >= fence_epoch)
#endif

inline serve_late_call(h) {
    d_step { late_call != 0 && late_caller == h ->
        if
        :: is_new(late_call) -> owner = h; fence_epoch = late_call
        :: else
        fi;
        late_call = 0; late_caller = 0 }
}
active proctype Storage() {
end:
    do
    BOTH(serve_late_call)
    od
}
