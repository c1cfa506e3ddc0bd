/* Two who seal and read; one of them publishes before and after in the same transaction. Asynchronous commits, a crash. */

#define CRASHES
#define XIDS 7
#define EVENTS 4
#define PAGES 9
#define PAGE_SIZE 2

inline cast() {
  working = 4;
  run publisher(1, false); run publisher(1, false);
  run session(true, 1); run session(false, 1)
}

#include "parts/seal.pml"
