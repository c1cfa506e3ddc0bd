/* Two workers who share the cursor of a cooperative consumer: claims of ranges, acknowledged in whole or in part, taken
   over at any time (a lease may run out, a session may be gone), compacted meanwhile, and looked at by who truncates. */

#include "parts/invariants.pml"

#define OFFSETS 3
#define RANGE 2
#define CLAIMS 6
#define COMMITTED 1
#define GONE 2
#define me (_pid + 3)
#define bit(x) (1 << (x))
#define has(set, x) (((set) >> (x)) & 1)
#define my_end bit(_pid)   /* bit 0 of an end: committed; the others: inserted by that process */

typedef claim_row { byte first, last, by, end }
claim_row claim[CLAIMS + 1];   /* 1..CLAIMS; a number is never used again */
byte effects[OFFSETS + 1];
byte consumer_lock;            /* advisory, of the consumer */
byte holders;                  /* transactions that hold a lock of the tables */
hidden byte c, o, n, cursor;

#define is_seen(r) (claim[r].by == COMMITTED || claim[r].by == me)
#define is_ended(r) ((claim[r].end & (1 | my_end)) != 0)

/* The end of all that was ever claimed. */
inline find_cursor(known) {
  cursor = 0; c = 1;
  do
  :: c <= CLAIMS ->
    if
#ifdef CURSOR_IS_THE_NEWEST_CLAIM
    :: has(known, c) -> cursor = claim[c].last
#else
    :: has(known, c) && claim[c].last > cursor -> cursor = claim[c].last
#endif
    :: else
    fi;
    c++
  :: else -> break
  od;
  c = 0
}

/* What a statement of this process sees: the claims, and those of them that have ended. */
inline look(known, over) {
  known = 0; over = 0; c = 1;
  do
  :: c <= CLAIMS ->
    if
    :: is_seen(c) ->
      known = known | bit(c);
      if
      :: is_ended(c) -> over = over | bit(c)
      :: else
      fi
    :: else
    fi;
    c++
  :: else -> break
  od;
  c = 0
}

inline add_claim(one, other) {
  n = 1;
  do
  :: n < CLAIMS && claim[n].by != 0 -> n++
  :: else -> break
  od;
  assert(claim[n].by == 0);
  claim[n].first = one; claim[n].last = other; claim[n].by = me
}

inline settle(outcome) {
  c = 1;
  do
  :: c <= CLAIMS ->
    if
    :: claim[c].by == me -> claim[c].by = outcome;
      if
      :: outcome == 0 -> claim[c].first = 0; claim[c].last = 0
      :: else
      fi
    :: else
    fi;
    if
    :: (claim[c].end & my_end) != 0 -> claim[c].end = (claim[c].end & ~my_end) | outcome
    :: else
    fi;
    c++
  :: else -> break
  od;
  c = 0;
  if
  :: consumer_lock == me -> consumer_lock = 0
  :: else
  fi;
  holders--;
  judge()
}

#define commit() settle(COMMITTED)
#define rollback() settle(0)

/* Of what is committed: each offset up to the cursor was handled once, or stands in one open claim. */
inline judge() {
  cursor = 0; c = 1;
  do
  :: c <= CLAIMS ->
    if
    :: claim[c].by == COMMITTED && claim[c].last > cursor -> cursor = claim[c].last
    :: else
    fi;
    c++
  :: else -> break
  od;
  o = 1;
  do
  :: o <= OFFSETS ->
    n = effects[o]; c = 1;
    do
    :: c <= CLAIMS ->
      if
      :: claim[c].by == COMMITTED && (claim[c].end & 1) == 0 && claim[c].first <= o && o <= claim[c].last -> n++
      :: else
      fi;
      c++
    :: else -> break
    od;
    i1_holds(n >= 1 || o > cursor);
    i5_holds(n <= 1);
    o++
  :: else -> break
  od;
  c = 0; o = 0; n = 0; cursor = 0
}

#ifdef NO_CONSUMER_LOCK
#define is_free true
#else
#define is_free (consumer_lock == 0)
#endif
#ifdef NO_UNIQUE_END
#define is_being_ended(r) false
#define may_end(r) true
#else
#define is_being_ended(r) ((claim[r].end & ~(1 | my_end)) != 0)
#define may_end(r) ((claim[r].end & 1) == 0)
#endif
#ifdef ACKS_A_CLAIM_THAT_IS_GONE
#define is_there(r) true
#else
#define is_there(r) (claim[r].by == COMMITTED)
#endif
#define is_open(r) (has(known, r) && !has(over, r))
#define has_room (claim[CLAIMS].by == 0 && claim[CLAIMS - 1].by == 0)

proctype worker() {
  byte mine, after, upto, old;
  byte known, over;
end:
  do
  :: has_room && is_free ->
#ifdef SNAPSHOT_BEFORE_LOCK
    d_step { holders++; look(known, over) };
    d_step { is_free -> consumer_lock = me };
#else
    d_step { is_free -> consumer_lock = me };
    d_step { holders++; look(known, over) };
#endif
    /* any open claim may have run out */
    if
    :: is_open(1) -> old = 1
    :: is_open(2) -> old = 2
    :: is_open(3) -> old = 3
    :: is_open(4) -> old = 4
    :: is_open(5) -> old = 5
    :: is_open(6) -> old = 6
    :: true -> old = 0
    fi;
    mine = 0;
    if
    :: d_step { old == 0 -> find_cursor(known); after = cursor; cursor = 0;
        if
        :: after < OFFSETS ->
          upto = (after + RANGE < OFFSETS -> after + RANGE : OFFSETS);
          add_claim(after + 1, upto); mine = n; n = 0; upto = 0
        :: else
        fi;
        after = 0
      }
    :: d_step { old != 0 && !is_being_ended(old) ->
        if
        :: may_end(old) -> claim[old].end = claim[old].end | my_end;
#ifndef TAKEOVER_IN_TWO_TRANSACTIONS
          add_claim(claim[old].first, claim[old].last); mine = n; n = 0
#endif
        :: else ->
#ifdef TAKES_OVER_WITHOUT_ITS_END
          add_claim(claim[old].first, claim[old].last); mine = n; n = 0
#else
          skip
#endif
        fi
      }
    :: old != 0 && is_being_ended(old) -> skip   /* the wait is given up: lock_timeout, deadlock, a cancelled statement */
    fi;
    if
    :: d_step { mine != 0 || old != 0 -> known = 0; over = 0; commit() }
#ifdef TAKEOVER_IN_TWO_TRANSACTIONS
      if
      :: old != 0 -> d_step { holders++; add_claim(claim[old].first, claim[old].last); mine = n; n = 0 };
        if
        :: d_step { true -> commit() }
        :: d_step { true -> mine = 0; rollback() }
        fi
      :: else
      fi
#endif
    :: d_step { true -> mine = 0; known = 0; over = 0; rollback() }
    fi;
    old = 0
  :: mine != 0 ->
    /* the acknowledgement: all of it or its first offset, if it is still ours to end */
    if
    :: d_step { is_there(mine) && !is_being_ended(mine) && may_end(mine) ->
        holders++; after = claim[mine].first; upto = claim[mine].last; claim[mine].end = claim[mine].end | my_end
      };
      if
      :: upto > after && has_room ->
#ifdef PARTIAL_ACK_DROPS_THE_REST
        upto = after
#else
        d_step { add_claim(after + 1, upto); old = n; n = 0; upto = after }
#endif
      :: true
      fi;
      if
      :: d_step { true ->
          o = after;
          do
          :: o <= upto && o > 0 -> effects[o]++; o++
          :: else -> break
          od;
          o = 0; mine = old; old = 0; after = 0; upto = 0; commit()
        }
      :: d_step { true -> old = 0; after = 0; upto = 0; rollback() }
      fi
    :: d_step { !is_being_ended(mine) && !(is_there(mine) && may_end(mine)) -> mine = 0 }   /* stale: nothing changes */
    fi
  od
}

/* The newest claim carries the cursor, and its end says whether it is open: they stay, and so do all open ones. */
inline choose_kept(kept) {
  kept = 0; cursor = 0; c = 1; n = 0;
  do
  :: c <= CLAIMS ->
    if
    :: claim[c].by == COMMITTED ->
      if
      :: (claim[c].end & 1) == 0 -> kept = kept | bit(c)
      :: else
      fi;
      if
      :: claim[c].last > cursor -> cursor = claim[c].last; n = c
      :: else
      fi
    :: else
    fi;
    c++
  :: else -> break
  od;
#ifndef CURSOR_LOST_BY_COMPACTION
  if
  :: n != 0 -> kept = kept | bit(n)
  :: else
  fi;
#endif
  c = 0; n = 0; cursor = 0
}

inline compact(kept, over) {
  c = 1;
  do
  :: c <= CLAIMS ->
    if
    :: claim[c].by != 0 && !has(kept, c) ->
      claim[c].by = GONE; claim[c].end = 0   /* who still works on it knows its range */
    :: claim[c].by != 0 && has(kept, c) -> claim[c].end = has(over, c)
    :: else
    fi;
    c++
  :: else -> break
  od;
  c = 0;
  judge()
}

proctype compactor() {
  byte kept, known, over;
#ifdef COMPACTS_WHAT_IT_READ_BEFORE_THE_LOCK
  d_step { look(known, over); choose_kept(kept) };
  d_step { holders == 0 -> compact(kept, over) }
#else
  d_step {
    holders == 0 -> look(known, over); choose_kept(kept);
#ifdef END_LOST_BY_COMPACTION
    over = 0;
#endif
    compact(kept, over)
  }
#endif
}

/* Who truncates asks how far all is done: open claims are claims without an end, in one statement. */
proctype truncator() {
  byte known, over, later, done_upto;
#ifdef OPEN_CLAIMS_IN_TWO_SNAPSHOTS
  d_step { look(known, over) };
  d_step { look(later, over);
#else
  d_step { look(known, over);
#endif
    find_cursor(known); done_upto = cursor; cursor = 0; c = 1;
    do
    :: c <= CLAIMS ->
      if
      :: is_open(c) && claim[c].first <= done_upto -> done_upto = claim[c].first - 1
      :: else
      fi;
      c++
    :: else -> break
    od;
    c = 1;
    do
    :: c <= done_upto -> i6_holds(effects[c] == 1); c++
    :: else -> break
    od;
    c = 0; known = 0; over = 0; later = 0; done_upto = 0
  }
}

init {
  atomic { run worker(); run worker(); run compactor(); run truncator() }
}
