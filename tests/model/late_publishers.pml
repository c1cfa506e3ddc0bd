/* Publishers whose transactions end in any order, and one who seals twice while they do. */

#define XIDS 7
#define EVENTS 4
#define PAGES 6
#define PAGE_SIZE 2

inline cast() {
  working = 4;
  run publisher(2, true); run publisher(1, false); run publisher(1, false);
  run session(false, 2)
}

#include "parts/seal.pml"
