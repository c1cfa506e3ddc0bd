/* Two segments: publishing comes round to one that was truncated, and what is not a publisher's rolls back as well. */

#define ROLLBACKS
#define EVENTS 2
#define SEGMENTS 2
#define ROTATIONS 2
#define TRUNCATIONS 2
#define PARTIES 3

inline cast() { run publisher(0, true); run publisher(1, true) }

#include "parts/segments.pml"
