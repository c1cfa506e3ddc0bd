#include "check/deep_stack.hpp"

#include <pthread.h>

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <utility>

namespace check {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t frame_growth = 8;  // of an instrumented build
#else
constexpr std::size_t frame_growth = 1;
#endif
constexpr std::size_t deep_stack = frame_growth * 512 * 1024 * 1024;

struct deep_call {
  std::function<void()> work;
  std::exception_ptr failure{};
};

void* run_deep_call(void* given) {
  auto* const call = static_cast<deep_call*>(given);
  try {
    call->work();
  } catch (...) {
    call->failure = std::current_exception();
  }
  return nullptr;
}

}  // namespace

void on_deep_stack(std::function<void()> work) {
  deep_call call{std::move(work)};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, deep_stack);
  pthread_t thread{};
  const int trouble = pthread_create(&thread, &attributes, run_deep_call, &call);
  pthread_attr_destroy(&attributes);
  if (trouble != 0) throw std::runtime_error{"there is no memory for the stack of the SQL parser"};
  pthread_join(thread, nullptr);
  if (call.failure) std::rethrow_exception(call.failure);
}

}  // namespace check
