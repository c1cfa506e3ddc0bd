/* Three segments: who read the hint early inserts into one that was left, behind the events of the next. A subscriber. */

#define EVENTS 3
#define SEGMENTS 3
#define ROTATIONS 2
#define TRUNCATIONS 1
#define PARTIES 5

inline cast() { run publisher(0, false); run publisher(1, true); run publisher(2, false); run subscriber() }

#include "parts/segments.pml"
