/* Publish, seal and read, as the worlds that include this play them. */

#include "invariants.pml"
#include "transactions.pml"
#include "log.pml"

byte working;   /* how many have not done their part */

/* What steps use and leave at 0. */
hidden byte p, q, j, k, x, rank, position, start, broken, is_open;

inline leave() { working-- }

/* A transaction that publishes. It draws its id early or with its first event, and ends in any way. */
proctype publisher(byte count; bool is_early) {
  byte xid;
  {
    d_step {
      draw(xid);
      if
      :: is_early
      :: else -> publish(xid); count--
      fi
    }
    do
    :: d_step { count > 0 -> publish(xid); count-- }
    :: count == 0 -> break
    od;
    if
    :: d_step { true -> commit(xid); leave() }
#ifdef CRASHES
    :: d_step { true -> commit_asynchronously(xid); leave() }
#endif
    :: d_step { true -> finish(xid); leave() }
    fi
  } unless { is_crashed }
}

/* A transaction that seals and reads, and may publish before and after. */
proctype session(bool publishes; byte rounds) {
  byte xid, newest, next;
  short running;
  {
    do
    :: d_step {
        rounds > 0 -> rounds--;
        if
        :: publishes -> draw(xid); publish(xid)
        :: else
        fi
      };
#ifdef SNAPSHOT_BEFORE_LOCK
      d_step { find_page(newest, xid, 255) }
#endif
#ifdef NO_LOCK
      if
      :: true
#else
      if
      :: stream_lock != 0 && stream_lock != _pid + 1 -> skip
      :: d_step { stream_lock == 0 || stream_lock == _pid + 1 -> stream_lock = _pid + 1 }
#endif
#ifndef SNAPSHOT_BEFORE_LOCK
        d_step { find_page(newest, xid, 255) }
#endif
        d_step {
          snapshot(xid, next, running);
#ifndef OWN_TRANSACTION_LOOKS_ENDED
          if
          :: xid != 0 && xid < next -> running = running | bit(xid)
          :: else
          fi
#endif
        }
        d_step { seal(); respect_the_key(); newest = 0; next = 0; running = 0 }
      fi;
      d_step {
        read();
        if
        :: publishes -> publish(xid)
        :: else
        fi
      }
      /* and reads on as soon as that is durable */
      if
#ifdef ASYNCHRONOUS_SEAL
      :: d_step { true -> commit_asynchronously(xid); read() }
#else
      :: d_step { true -> commit(xid); read() }
      /* without a flush, when nothing depends on it */
      :: d_step {
          true -> find_unsettled(xid, broken);
          if
          :: broken == 0 -> commit_asynchronously(xid)
          :: else -> commit(xid)
          fi;
          broken = 0;
          read()
        }
#endif
      :: d_step { true -> forget_pages(xid); finish(xid) }
      /* or goes on in the same transaction */
      :: rounds > 0
      fi
    :: d_step { rounds == 0 -> leave() }; break
    od
  } unless { is_crashed }
}

/* What must have come of it, when the last seal has found all that was committed. */
inline judge() {
  k = 1;
  do
  :: k <= events ->
    rank = 0; x = 0; position = 1;
    do
    :: position <= EVENTS ->
      if
      :: shown[position] == k -> rank++
      :: else
      fi;
      position++
    :: else -> break
    od;
    i1_holds(rank >= 1 || !has(committed, event[k]));
    i1_holds(rank == 0 || has(committed, event[k]));
    i2_holds(rank <= 1);
    k++
  :: else -> break
  od;
  position = 1;
  do
  :: position < EVENTS ->
    i2_holds(shown[position] != 0 || shown[position + 1] == 0);
    k = position + 1;
    do
    :: k <= EVENTS && shown[k] != 0 ->
      /* later is not published earlier, nor has it ended before */
      i3_holds(event[shown[k]] != event[shown[position]] || shown[k] > shown[position]);
      i3_holds(event[shown[k]] != event[shown[position]] || event[shown[k - 1]] == event[shown[position]]);
      i3_holds(event[shown[k]] == event[shown[position]] || !has(before[event[shown[position]]], event[shown[k]]));
      k++
    :: else -> break
    od;
    position++
  :: else -> break
  od
}

init {
  byte xid, newest, next;
  short running;
  page[0].first = 1; page[0].is_dense = true;
  atomic { cast() }
  if
  :: working == 0
#ifdef CRASHES
  :: d_step { working > 0 -> crash() }
#endif
  fi;
  d_step {
    find_page(newest, xid, 255);
    snapshot(xid, next, running);
    seal();
    commit(xid);
    read();
    judge()
  }
}
