/* Events, the pages that give them their offsets, and how both are read. */

byte event[EVENTS + 1];   /* the stamp of each event, by its number */
byte events;

typedef page_row {
  byte first, last;               /* offsets */
  byte first_event, last_event;   /* numbers; with their stamps the ends of the page's range */
  bool is_dense, is_joined, is_settled;
  byte lo_next; short lo_running;
  byte hi_next; short hi_running;
  byte sealed_by
}
page_row page[PAGES];     /* 0 is the page before the first event */
byte pages = 1;

byte shown[EVENTS + 1];   /* which event was shown at this offset, ever */

#define stamp_of(p) event[page[p].last_event]
#define is_behind(p, q) (page[p].first > page[q].first || (page[p].first == page[q].first && page[p].last > page[q].last))
#define is_before(n, m) (event[n] < event[m] || (event[n] == event[m] && n <= m))

inline publish(own) { events++; event[events] = own }

/* The newest page that is visible and begins before an offset: the last in the order of (first, last). */
inline find_page(found, own, limit) {
  found = 0; j = 1;
  do
  :: j < pages ->
    if
    :: visible(page[j].sealed_by, own) && page[j].first < limit && is_behind(j, found) -> found = j
    :: else
    fi;
    j++
  :: else -> break
  od;
  j = 0
}

/* ---- seal ---- */

#ifdef NO_STRAGGLERS
#define had_not_ended(x) ((x) >= page[p].lo_next)
#else
#define had_not_ended(x) ((x) >= page[p].lo_next || has(page[p].lo_running, x))
#endif
#ifdef NO_UPPER_BOUND
#define has_ended(x) (!has(page[p].hi_running, x))
#elif defined(SEALS_THE_RUNNING)
#define has_ended(x) ((x) < page[p].hi_next)
#else
#define has_ended(x) ((x) < page[p].hi_next && !has(page[p].hi_running, x))
#endif

#ifdef DENSE_WITH_STRAGGLERS
#define is_after_lo true
#else
#define is_after_lo (event[page[p].first_event] >= page[p].lo_next)
#endif
#ifdef DENSE_AROUND_RUNNING
#define is_whole true
#else
#define is_whole ((page[p].hi_running & between(event[page[p].first_event], event[n])) == 0)
#endif
#ifdef JOINED_AROUND_RUNNING
#define is_tight true
#else
#define is_tight ((page[p].hi_running & between(stamp_of(q), event[n])) == 0)
#endif

#ifdef SETTLED_AROUND_RUNNING
#define is_prefix true
#else
#define is_prefix ((page[p].hi_running & (bit(event[n]) - 1)) == 0)
#endif
#ifdef SETTLED_UNFLUSHED
#define is_durable true
#else
#define is_durable ((committed & ~flushed) == 0)
#endif
#ifdef SETTLED_BEHIND_UNSETTLED
#define is_behind_settled true
#else
#define is_behind_settled (page[q].is_settled || page[q].sealed_by != xid)
#endif

/* The page before p is q: the sealer's own last one, or the newest when it began. */
inline append(n) {
  if
  :: is_open && page[p].last - page[p].first + 1 < PAGE_SIZE -> page[p].last++
  :: else ->
    if
    :: is_open -> q = p; p = pages
    :: else
    fi;
    is_open = true;
    page[p].first = page[q].last + 1; page[p].last = page[p].first;
    page[p].first_event = n;
    page[p].lo_next = page[newest].hi_next; page[p].lo_running = page[newest].hi_running;
    page[p].hi_next = next; page[p].hi_running = running;
    draw(xid);
    page[p].sealed_by = xid;
    pages++;
    assert(pages < PAGES)
  fi;
  page[p].last_event = n;
  page[p].is_dense = is_after_lo && is_whole;
  page[p].is_joined = page[p].is_dense && page[q].is_dense && is_tight;
  page[p].is_settled = is_prefix && is_durable && is_behind_settled
}

/* One statement that looks at all events: its own snapshot is later than `hi`. The bounds stand in row p beforehand. */
inline seal() {
  p = pages; q = newest;
  page[p].lo_next = page[newest].hi_next; page[p].lo_running = page[newest].hi_running;
  page[p].hi_next = next; page[p].hi_running = running;
#ifdef ORDERED_BY_NUMBER
  k = 1;
  do
  :: k <= events ->
    if
    :: visible(event[k], xid) && had_not_ended(event[k]) && has_ended(event[k]) -> append(k)
    :: else
    fi;
    k++
  :: else -> break
  od;
#else
  x = 1;
  do
  :: x <= drawn ->
    k = 1;
    do
    :: k <= events ->
      if
      :: event[k] == x && visible(x, xid) && had_not_ended(x) && has_ended(x) -> append(k)
      :: else
      fi;
      k++
    :: else -> break
    od;
    x++
  :: else -> break
  od;
#endif
  if
  :: !is_open ->
    page[p].lo_next = 0; page[p].lo_running = 0; page[p].hi_next = 0; page[p].hi_running = 0
  :: else
  fi;
  is_open = false; p = 0; q = 0; k = 0; x = 0
}

inline find_unsettled(own, found) {
  found = 0; j = 1;
  do
  :: j < pages ->
    if
    :: own != 0 && page[j].sealed_by == own && !page[j].is_settled -> found = j
    :: else
    fi;
    j++
  :: else -> break
  od;
  j = 0
}

/* Rows of a transaction that was rolled back are invisible; those at the end are taken away to have fewer states. */
inline forget_pages(own) {
  do
  :: pages > 1 && own != 0 && page[pages - 1].sealed_by == own ->
    pages--;
    page[pages].first = 0; page[pages].last = 0; page[pages].first_event = 0; page[pages].last_event = 0;
    page[pages].is_dense = 0; page[pages].is_joined = 0; page[pages].is_settled = 0;
    page[pages].lo_next = 0; page[pages].lo_running = 0; page[pages].hi_next = 0; page[pages].hi_running = 0;
    page[pages].sealed_by = 0
  :: else -> break
  od
}

#define is_live(j) (page[j].sealed_by != xid && (has(committed, page[j].sealed_by) || !has(ended, page[j].sealed_by)))
#define is_twin(j, k) (page[j].first == page[k].first && page[j].last == page[k].last)

/* The pages' key is (first, last): who seals what another has, or is about to have, fails. It is no guard by itself. */
inline respect_the_key() {
  rank = 0; k = pages;
  do
  :: page[k - 1].sealed_by == xid && xid != 0 ->
    k--; j = 1;
    do
    :: j < pages ->
      if
      :: is_live(j) && is_twin(j, k) -> rank++
      :: else
      fi;
      j++
    :: else -> break
    od
  :: else -> break
  od;
  if
  :: rank > 0 -> forget_pages(xid)
  :: else
  fi;
  j = 0; k = 0; rank = 0
}

/* ---- read ---- */

#ifdef SHOWS_ITS_OWN_SEAL
#define is_own(p) false
#else
#define is_own(p) (xid != 0 && page[p].sealed_by == xid && !page[p].is_settled)
#endif
#define in_page(p, y) \
  (page[p].is_dense || \
   ((y >= page[p].lo_next || has(page[p].lo_running, y)) && y < page[p].hi_next && !has(page[p].hi_running, y)))

inline reveal(offset, n) {
  i1_holds(has(committed, event[n]) || event[n] == xid);
  i2_holds(shown[offset] == 0 || shown[offset] == n);
  shown[offset] = n
}

/* The range of one page, or of a run of joined ones, from the first to the last. */
inline read_run(one, other) {
  rank = page[one].first; x = 1;
  do
  :: x <= drawn ->
    k = 1;
    do
    :: k <= events ->
      if
      :: event[k] == x && visible(x, xid) && is_before(page[one].first_event, k) &&
         is_before(k, page[other].last_event) && in_page(one, x) ->
        i2_holds(rank <= EVENTS);
        if
        :: rank >= position && rank <= page[other].last && rank <= EVENTS -> reveal(rank, k)
        :: else
        fi;
        rank++
      :: else
      fi;
      k++
    :: else -> break
    od;
    x++
  :: else -> break
  od;
  i1_holds(rank > page[other].last);
  position = page[other].last + 1;
  k = 0; x = 0; rank = 0
}

/* The last page of the run that begins at p: up to the first that is not joined, or is not to be shown. */
inline find_last(one, found) {
  broken = 255; j = 1;
  do
  :: j < pages ->
    if
    :: visible(page[j].sealed_by, xid) && page[j].first > page[one].first && page[j].first < broken &&
       (!page[j].is_joined || is_own(j)) -> broken = page[j].first
    :: else
    fi;
    j++
  :: else -> break
  od;
  find_page(found, xid, broken);
  broken = 0
}

/* All that may be shown, read from each of its offsets on. */
inline read() {
  start = 1;
  do
  :: start <= EVENTS ->
    position = start;
    do
    :: position <= EVENTS ->
      find_page(p, xid, position + 1);
      if
      :: page[p].last < position || is_own(p) -> break
      :: else
      fi;
      q = p;
      if
      :: page[p].is_dense -> find_last(p, q)
      :: else
      fi;
      read_run(p, q)
    :: else -> break
    od;
    start++
  :: else -> break
  od;
  start = 0; position = 0; p = 0; q = 0
}
