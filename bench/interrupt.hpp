#pragma once

namespace bench {

/// Thrown when the user wants to stop: what was started ends on the way up.
struct interrupted {};

/// From now on Ctrl-C and SIGTERM are noticed by check_interrupt() instead of ending the process at once.
void catch_interrupts();

bool is_interrupted() noexcept;

/// Throws interrupted after one of them came.
void check_interrupt();

}  // namespace bench
