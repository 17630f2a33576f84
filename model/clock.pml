/* Time goes on, but never past a guard that must act and can. */
#define must_act(h) (up(h) && copy[h] == RUNS && age[h] >= PAUSE_AT)
#define later(x) x = x + (x < TTL)

active proctype Clock() {
end:
    do
    :: d_step { !must_act(A) && !must_act(B) -> ttl = ttl - (ttl > 0); later(age[A]); later(age[B]) }
    od
}
