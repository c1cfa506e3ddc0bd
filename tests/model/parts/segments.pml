/* Rotation and truncation against publishers that read the segment's hint early and commit late, a consumer that seals,
   reads and acknowledges, and a subscriber that begins at the start. One event a transaction: its number is its stamp.
   A snapshot is the set of transactions that had ended. Locks of tables last to the end of the transaction: readers
   lock all partitions, writers theirs; statements look after they have their locks. */

#include "invariants.pml"

#define COMMITTED 1
#define me (_pid + 2)
#define bit(x) (1 << (x))
#define has(set, x) (((set) >> (x)) & 1)
#define PAGES 8

typedef event_row { byte segment, by, place }   /* place: the offset that its seal gave it, for the judge only */
event_row event[EVENTS + 1];
byte events, ended, truncated;   /* the last two are sets of events */

typedef page_row { byte segment, first, last, members, hi, by }
page_row page[PAGES + 1];        /* 0 is the one before the first event; the last is none */

byte segment;                    /* the hint: where to publish */
byte position[2];                /* of the consumer and of the subscriber */
byte aged;                       /* up to this offset all is older than the retention */
bool has_subscribed;

byte stream_lock;
byte event_readers, page_readers, writers[SEGMENTS];
byte event_lock, page_lock;      /* ACCESS EXCLUSIVE on a segment's tables: segment + 1 */
byte arrived;
byte working;
bool is_over;

bool is_refused;
hidden byte p, q, e, k, s, is_open, tail;

#define is_seen(r) (page[r].by == COMMITTED || page[r].by == me)
#define is_behind(r, t) (page[r].first > page[t].first || (page[r].first == page[t].first && page[r].last > page[t].last))

/* The newest page that begins at an offset or before: PAGES if there is none. */
inline find_page(found, limit) {
  found = PAGES; k = 0;
  do
  :: k < PAGES ->
    if
    :: is_seen(k) && page[k].first <= limit ->
      if
      :: found == PAGES -> found = k
      :: found != PAGES && is_behind(k, found) -> found = k
      :: else
      fi
    :: else
    fi;
    k++
  :: else -> break
  od;
  k = 0
}

inline find_room(found) {
  found = 0;
  do
  :: page[found].by != 0 -> found++
  :: else -> break
  od;
  assert(found < PAGES)
}

inline drop_page(r) {
  page[r].segment = 0; page[r].first = 0; page[r].last = 0; page[r].members = 0; page[r].hi = 0; page[r].by = 0
}

inline end_pages(is_kept) {
  k = 0;
  do
  :: k < PAGES ->
    if
    :: page[k].by == me && is_kept -> page[k].by = COMMITTED
    :: page[k].by == me && !is_kept -> drop_page(k)
    :: else
    fi;
    k++
  :: else -> break
  od;
  k = 0
}

/* ---- publish ---- */

inline insert(here) {
  writers[here]++; events++; mine = events;
  event[mine].segment = here; event[mine].by = me
}

/* They come in their order, which is without loss as all are the same. Who is early has read the hint long before. */
proctype publisher(byte turn; bool is_early) {
  byte mine, here;
  if
  :: d_step { !is_early && arrived == turn && event_lock != segment + 1 -> here = segment; arrived++; insert(here) }
  :: d_step { is_early && arrived == turn -> here = segment; arrived++ };
    d_step { event_lock != here + 1 -> insert(here) }
  fi;
  if
  :: d_step { true -> event[mine].by = COMMITTED; ended = ended | bit(mine); writers[here]--; mine = 0; here = 0; working-- }
#ifdef ROLLBACKS
  :: d_step { true -> event[mine].by = 0; ended = ended | bit(mine); writers[here]--; mine = 0; here = 0; working-- }
#endif
  fi
}

/* ---- seal and read ---- */

/* New are those that had ended at hi and not at lo; a page lies in one segment. */
inline seal(newest, ended_then) {
  p = newest; is_open = 0; e = 1;
  do
  :: e <= events ->
    if
    :: event[e].by == COMMITTED && has(ended_then, e) && !has(page[newest].hi, e) && !has(truncated, e) ->
      if
      :: is_open && page[p].segment == event[e].segment -> page[p].last++
      :: else ->
        q = p; find_room(p); is_open = 1;
        page[p].segment = event[e].segment; page[p].first = page[q].last + 1; page[p].last = page[p].first;
        page[p].hi = ended_then; page[p].by = me
      fi;
      page[p].members = page[p].members | bit(e)
    :: else
    fi;
    e++
  :: else -> break
  od;
  p = 0; q = 0; e = 0; is_open = 0
}

/* The offsets as they become durable: the next ones, and no second one for an event. */
inline note_places() {
  p = 0;
  do
  :: p < PAGES ->
    if
    :: page[p].by == me && page[p].members != 0 ->
      e = 1; q = page[p].first;
      do
      :: e <= events ->
        if
        :: has(page[p].members, e) -> i2_holds(event[e].place == 0); event[e].place = q; q++
        :: else
        fi;
        e++
      :: else -> break
      od;
      e = 1;
      do
      :: e <= events ->
        i2_holds(has(page[p].members, e) || event[e].place < page[p].first || event[e].place > page[p].last);
        e++
      :: else -> break
      od
    :: else
    fi;
    p++
  :: else -> break
  od;
  p = 0; q = 0; e = 0
}

/* One page after a position: it is there, with its events; the end is the end. */
inline read_page(place) {
  find_page(p, place + 1);
  i6_holds(p != PAGES);
  if
  :: p != PAGES && page[p].last > place ->
    i6_holds((page[p].members & truncated) == 0);
    place = page[p].last
  :: p != PAGES && page[p].last <= place ->
    k = 0;
    do
    :: k < PAGES -> i1_holds(!is_seen(k) || page[k].last <= place); k++
    :: else -> break
    od
  :: else
  fi;
  p = 0; k = 0
}

inline read(place) {
  s = 0;
  do
  :: s < EVENTS -> read_page(place); s++
  :: else -> break
  od;
  s = 0
}

#define waits(n) (event[n].by == COMMITTED && event[n].place == 0)

proctype consumer() {
  byte newest, hi;
  do
  :: is_over -> break
  :: d_step {
      (waits(1) || waits(2) || waits(EVENTS)) && !is_over && stream_lock == 0 && page_lock == 0 ->
      stream_lock = me; page_readers++; find_page(newest, 255); hi = ended
    };
    d_step { event_lock == 0 -> event_readers++; seal(newest, hi); newest = 0; hi = 0 };
    if
    :: d_step { true -> note_places(); end_pages(true); stream_lock = 0; page_readers--; event_readers-- }
#ifdef ROLLBACKS
    :: d_step { true -> end_pages(false); stream_lock = 0; page_readers--; event_readers-- }
#endif
    fi
  :: d_step { !is_over && page_lock == 0 && event_lock == 0 -> read(position[0]) }
  od
}

/* ---- subscribe ---- */

/* The start is where what is kept begins without a hole up to the end. */
inline find_start(start) {
  find_page(p, 255); tail = page[p].last + 1; k = 0;
  do
  :: k < PAGES ->
#ifdef STARTS_BEFORE_A_HOLE
    if
    :: is_seen(k) && page[k].first < tail -> tail = page[k].first
    :: else
    fi;
    k++
#else
    if
    :: is_seen(k) && page[k].members != 0 && page[k].last + 1 == tail -> tail = page[k].first; k = 0
    :: else -> k++
    fi
#endif
  :: else -> break
  od;
  start = tail - 1;
  p = 0; k = 0; tail = 0
}

inline check_subscriber() {
  e = 1;
  do
  :: e <= events ->
    i6_holds(event[e].place <= position[1] || !has(truncated, e));
    i6_holds(event[e].place <= aged || event[e].place > position[1]);
    e++
  :: else -> break
  od;
  e = 0
}

proctype subscriber() {
#ifdef SUBSCRIBES_WITHOUT_LOCK
  d_step { page_lock == 0 -> find_start(position[1]) };
#else
  d_step { page_lock == 0 -> page_readers++; find_start(position[1]) };
#endif
#ifdef SUBSCRIBES_WITHOUT_LOCK
  d_step { true -> has_subscribed = true; check_subscriber(); working-- }
#else
  d_step { true -> has_subscribed = true; page_readers--; check_subscriber(); working-- }
#endif
}

#include "rotation.pml"

/* In the end all is sealed, and who reads on comes to the end. */
inline judge() {
  find_page(s, 255); seal(s, ended); note_places(); end_pages(true); s = 0;
  find_page(s, 255); tail = page[s].last; s = 0;
  e = 1;
  do
  :: e <= events -> i1_holds(event[e].by != COMMITTED || event[e].place != 0); e++
  :: else -> break
  od;
  read(position[0]);
  if
  :: has_subscribed -> read(position[1])
  :: else
  fi;
  i1_holds(position[0] == tail && (!has_subscribed || position[1] == tail));
  tail = 0; s = 0; e = 0
}

init {
  working = PARTIES; page[0].first = 1; page[0].by = COMMITTED;
  atomic { cast(); run consumer(); run maintenance() };
  d_step { working == 0 && stream_lock == 0 && event_readers == 0 && page_readers == 0 -> judge(); is_over = true }
}
