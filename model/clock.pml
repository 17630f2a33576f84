/* Time goes on, but never past a guard that must act and can. */

#define must_act(h) (up(h) && copy[h] == RUNS && age[h] >= PAUSE_AT && (mine[h] != 0 -> MARGIN : MINDER))
inline pass() {
    printf("a tick\n");
    ttl = ttl - (ttl > 0);
    age[A] = age[A] + (up(A) && age[A] < LONG);
    age[B] = age[B] + (up(B) && age[B] < LONG)
}
#ifdef FAULTS_END
byte waited = 0;
bool tock = false;

/* Who stays frozen for ever is as good as without power, what is late for ever as good as lost. */
inline end_faults() {
    atomic { !calm && late[A] == NOTHING && late[B] == NOTHING && up(A) && up(B) -> calm = true;
        if
        :: is_reaching[A] = false
        :: skip
        fi;
        if
        :: is_reaching[B] = false
        :: skip
        fi }
}
/* All that can be done has been done. */
inline pass_calmly() {
    atomic { calm && timeout -> d_step {
        if
        :: waited == BOUND && !is_served -> broken("broken: nobody runs the guest, and a host could\n")
        :: else
        fi;
        waited = waited + (waited < BOUND); tock = !tock; pass() } }
}
#endif
active proctype Clock() {
end:
    do
    :: d_step { !calm && !must_act(A) && !must_act(B) -> pass() }
#ifdef FAULTS_END
    :: end_faults()
    :: pass_calmly()
#endif
    od
}

#ifdef FAULTS_END
/* Nothing goes round in circles for ever, so that time would stand still. */
never {
    do
    :: true
    :: calm && tock -> goto accept_tock
    :: calm && !tock -> goto accept_tick
    od;
accept_tock:
    do
    :: tock
    od;
accept_tick:
    do
    :: !tock
    od
}
#endif
