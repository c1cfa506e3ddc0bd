/* Rotation moves publishing on and leaves an empty page in the next segment; truncation empties one that is done with.
   Included by segments.pml. */

inline find_newest_of(found, here) {
  found = 0; k = 0;
  do
  :: k < PAGES ->
    if
    :: is_seen(k) && page[k].segment == here && page[k].last > found -> found = page[k].last
    :: else
    fi;
    k++
  :: else -> break
  od;
  k = 0
}

/* The newest page is elsewhere, and nothing waits for its offset. */
inline look_for_the_unsealed(here) {
  find_page(q, 255);
#ifndef TRUNCATES_THE_NEWEST_PAGE
  is_refused = is_refused || page[q].segment == here;
#endif
#ifndef TRUNCATES_THE_UNSEALED
  e = 1;
  do
  :: e <= events ->
    is_refused = is_refused ||
      (event[e].by == COMMITTED && event[e].segment == here && !has(truncated, e) && !has(page[q].hi, e));
    e++
  :: else -> break
  od;
#endif
  e = 0; q = 0
}

inline look_for_the_unconsumed(here) {
  find_newest_of(q, here);
#ifndef TRUNCATES_WITHIN_THE_RETENTION
  is_refused = is_refused || q > aged;
#endif
#ifndef TRUNCATES_THE_UNCONSUMED
  is_refused = is_refused || q > position[0] || (has_subscribed && q > position[1]);
#endif
  q = 0
}

inline truncate(here) {
  e = 1;
  do
  :: e <= events ->
    if
    :: event[e].segment == here && event[e].by == COMMITTED && !has(truncated, e) ->
      i1_holds(event[e].place != 0);
      i6_holds(event[e].place <= aged && event[e].place <= position[0]);
      i6_holds(!has_subscribed || event[e].place <= position[1]);
      truncated = truncated | bit(e)
    :: else
    fi;
    e++
  :: else -> break
  od;
  k = 0;
  do
  :: k < PAGES ->
    if
    :: page[k].by == COMMITTED && page[k].segment == here -> drop_page(k)
    :: else
    fi;
    k++
  :: else -> break
  od;
  e = 0; k = 0
}

/* The next segment has been emptied. */
inline look_for_room(here) {
  find_newest_of(q, here);
  is_refused = q != 0; e = 1;
  do
  :: e <= events ->
    is_refused = is_refused || (event[e].by == COMMITTED && event[e].segment == here && !has(truncated, e));
    e++
  :: else -> break
  od;
  e = 0; q = 0
}

#define may_rotate (rotations > 0 && stream_lock == 0 && page_lock == 0 && event_lock == 0)

/* Nobody sees a rotation before it ends, but for the hint, which stays moved also when it is rolled back. */
inline rotate(is_kept) {
  rotations--;
  look_for_room((segment + 1) % SEGMENTS);
  if
  :: !is_refused ->
    find_page(q, 255);
    segment = (segment + 1) % SEGMENTS;
    find_room(p);
    page[p].segment = segment; page[p].first = page[q].last + 1; page[p].last = page[q].last; page[p].hi = page[q].hi;
    page[p].by = me;
    end_pages(is_kept)
  :: else
  fi;
  is_refused = false; p = 0; q = 0
}

/* Who waits for a lock in vain, or is refused, gives up. */
proctype maintenance() {
  byte rotations = ROTATIONS, truncations = TRUNCATIONS, here;
  do
  :: d_step { may_rotate -> rotate(true) }
#ifdef ROLLBACKS
  :: d_step { may_rotate -> rotate(false) }
#endif
  :: d_step { find_page(q, 255); aged = page[q].last; q = 0 }
  :: d_step { rotations == 0 && truncations == 0 -> working-- }; break
  :: truncations > 0 ->
    if
    :: segment != 0 -> here = 0
    :: segment != 1 -> here = 1
    fi;
#ifdef LOOKS_BEFORE_THE_LOCK
    d_step { look_for_the_unsealed(here); look_for_the_unconsumed(here) };
#endif
    if
    :: d_step { writers[here] == 0 && event_readers == 0 -> event_lock = here + 1 };
#ifdef LOOKS_BEFORE_THE_LOCK_OF_THE_PAGES
      d_step { look_for_the_unconsumed(here) };
#endif
      if
      :: d_step { page_readers == 0 -> page_lock = here + 1 };
#ifndef LOOKS_BEFORE_THE_LOCK
        d_step { look_for_the_unsealed(here) };
#ifndef LOOKS_BEFORE_THE_LOCK_OF_THE_PAGES
        d_step { look_for_the_unconsumed(here) };
#endif
#endif
        if
        :: d_step { !is_refused -> truncate(here) }
        :: true
        fi
      :: true
      fi
    :: true
    fi;
    d_step { is_refused = false; event_lock = 0; page_lock = 0; here = 0; truncations-- }
  od
}
