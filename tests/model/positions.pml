/* A plain consumer of two processes: a chain of positions in which each names the one before, compacted meanwhile.
   Effects are written in the transaction that acknowledges. */

#include "parts/invariants.pml"

#define OFFSETS 3
#define ROWS 6
#define COMMITTED 1
#define GONE 2
#define me (_pid + 3)
#define is_visible(r) (position[r].by == COMMITTED || position[r].by == me)
#define follows(r, q) (position[r].by != 0 && position[r].by != GONE && position[r].previous == (q))
#define follows_uncommitted(r, q) (follows(r, q) && !is_visible(r))

typedef position_row { byte previous, upto, by }
position_row position[ROWS];   /* 0 is the position that the consumer was declared with */
byte drawn;                    /* the newest number of a position */
byte effects[OFFSETS + 1];
byte holders;                  /* transactions that hold a lock of the table */
hidden byte r, o, newest;

inline find_newest() {
  newest = 0; r = 0;
  do
  :: r <= drawn ->
    if
    :: position[r].by == COMMITTED -> newest = r
    :: else
    fi;
    r++
  :: else -> break
  od;
  r = 0
}

inline judge() {
  find_newest();
  o = 1;
  do
  :: o <= OFFSETS ->
    i5_holds(effects[o] <= 1);
    i1_holds(effects[o] >= 1 || o > position[newest].upto);
    o++
  :: else -> break
  od;
  o = 0; newest = 0
}

#ifdef NO_UNIQUE_POSITION
#define is_taken(q) false
#define is_being_taken(q) false
#else
#define is_taken(q) \
  ((follows(1, q) && is_visible(1)) || (follows(2, q) && is_visible(2)) || (follows(3, q) && is_visible(3)) || \
   (follows(4, q) && is_visible(4)) || (follows(5, q) && is_visible(5)))
#define is_being_taken(q) \
  (follows_uncommitted(1, q) || follows_uncommitted(2, q) || follows_uncommitted(3, q) || follows_uncommitted(4, q) || \
   follows_uncommitted(5, q))
#endif
#ifdef ACKS_A_BATCH_THAT_IS_GONE
#define is_known(q) true
#else
#define is_known(q) (position[q].by == COMMITTED)
#endif

proctype consumer() {
  byte batch, after, upto, mine;
  do
  :: d_step { drawn < ROWS - 1 -> find_newest(); batch = newest; after = position[newest].upto; newest = 0 };
    if
    :: after >= OFFSETS -> break
    :: after < OFFSETS -> upto = after + 1
    :: after + 1 < OFFSETS -> upto = after + 2
    fi;
    if
    :: d_step {
        drawn < ROWS - 1 && !is_being_taken(batch) && is_known(batch) && !is_taken(batch) ->
        drawn++; mine = drawn; holders++;
        position[mine].previous = batch; position[mine].upto = upto; position[mine].by = me
      };
      if
      :: d_step {
          true -> position[mine].by = COMMITTED; holders--; mine = 0;
          do
          :: after < upto -> after++; effects[after]++
          :: else -> break
          od;
          judge()
        }
      :: d_step {
          true -> position[mine].by = GONE; position[mine].previous = 0; position[mine].upto = 0; holders--; mine = 0
        }
      fi
    :: d_step { !is_being_taken(batch) && (!is_known(batch) || is_taken(batch)) -> skip }   /* a stale one: 0 rows */
    :: drawn >= ROWS - 1 -> break
    fi;
    batch = 0; after = 0; upto = 0
  :: drawn >= ROWS - 1 -> break
  od
}

inline compact(kept) {
  r = 0;
  do
  :: r <= drawn ->
    if
    :: r != kept -> position[r].previous = 0; position[r].upto = 0; position[r].by = GONE
    :: else
    fi;
    r++
  :: else -> break
  od;
  r = 0;
  judge()
}

proctype compactor() {
  byte kept, rounds = 2;
  do
#ifdef COMPACTS_WHAT_IT_READ_BEFORE_THE_LOCK
  :: d_step { rounds > 0 -> rounds--; find_newest(); kept = newest; newest = 0 };
    d_step { holders == 0 -> compact(kept); kept = 0 }
#else
  :: d_step { rounds > 0 && holders == 0 -> rounds--; find_newest(); kept = newest; newest = 0; compact(kept); kept = 0 }
#endif
  :: break
  od
}

init {
  position[0].by = COMMITTED;
  atomic { run consumer(); run consumer(); run compactor() }
}
