/* The invariants of the log. A broken one is told by its name: "assertion violated i2".
   -DONLY=2 watches that one alone, so that a negative case shows which invariant its guard is there for. */

#ifndef ONLY
#define ONLY 0
#endif

bool i1 = true;   /* each committed event is delivered, no other one is */
bool i2 = true;   /* offsets are 1, 2, 3, ... and belong to one event each once shown */
bool i3 = true;   /* a transaction's events are adjacent and in order; who ended before another began comes first */
bool i5 = true;   /* one acknowledgement a batch or claim; effects in its transaction happen once */
bool i6 = true;   /* truncation takes nothing that is unconsumed or within the retention */

#define holds(name, number, condition) \
  if \
  :: ((ONLY == 0 || ONLY == number) && !(condition)) -> name = false; assert(name) \
  :: else \
  fi

#define i1_holds(condition) holds(i1, 1, condition)
#define i2_holds(condition) holds(i2, 2, condition)
#define i3_holds(condition) holds(i3, 3, condition)
#define i5_holds(condition) holds(i5, 5, condition)
#define i6_holds(condition) holds(i6, 6, condition)
