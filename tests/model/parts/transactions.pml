/* Transactions as PostgreSQL runs them. Ids are drawn at the first write and end in any order. A snapshot is the next
   id after the newest that has ended, and those below it that run, but never one's own. A commit is flushed before it
   is visible unless it is asynchronous: then the next one that is not flushes it too. A crash ends whoever runs and
   takes back what was not flushed. Sets of ids are masks; id 0 stands for "none", and has committed what was there. */

#define bit(x) (1 << (x))
#define has(set, x) (((set) >> (x)) & 1)
#define between(a, b) ((bit((b) + 1) - 1) & ~(bit(a) - 1))
#define visible(x, own) ((own) == (x) || has(committed, x))

byte drawn;             /* the newest id that was drawn */
byte completed;         /* the newest id that has ended */
short ended = 1;
short committed = 1;
short flushed = 1;
short before[XIDS];     /* what had committed when this id was drawn */
byte stream_lock;       /* who holds the advisory lock of the stream, as pid + 1 */
bool is_crashed;

inline draw(own) {
  if
  :: own == 0 -> drawn++; assert(drawn < XIDS); own = drawn; before[own] = committed
  :: else
  fi
}

inline snapshot(own, next, running) {
  next = completed + 1;
  running = (bit(next) - 1) & ~ended & ~bit(own)
}

inline finish(own) {
  ended = ended | bit(own);
  if
  :: own > completed -> completed = own
  :: else
  fi;
  if
  :: stream_lock == _pid + 1 -> stream_lock = 0
  :: else
  fi;
  own = 0
}

inline commit_asynchronously(own) { committed = committed | bit(own); finish(own) }

inline commit(own) {
  committed = committed | bit(own);
  if
  :: own != 0 -> flushed = committed
  :: else
  fi;
  finish(own)
}

inline crash() {
  is_crashed = true;
  committed = flushed;
  ended = bit(drawn + 1) - 1;
  completed = drawn;
  stream_lock = 0
}
