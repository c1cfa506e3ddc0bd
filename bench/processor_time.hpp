#pragma once

#include <vector>

namespace bench {

/// The processor time that these processes have used together since they began, in seconds; 0 where the system does not
/// tell. Far steadier than the time by the wall where a machine is shared.
double processor_seconds(const std::vector<int>& processes);

/// That of the calling thread since it began.
double own_processor_seconds();

}  // namespace bench
