#include "queue/ordered.hpp"

#include <fmt/format.h>

#include "support/catch.hpp"

namespace test {

std::string ordered(std::string_view options) {
  return fmt::format(R"(
[queues.mail]
lease      = "30s"
retry      = {{ max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }}
ordered_by = "body"
{}
[queues.mail.payload]
body = "text"
)",
                     options);
}

const std::string skipping = ordered(R"(on_failure = "skip")");

std::string ids(const std::vector<held>& messages) {
  std::string text;
  for (const auto& one : messages) text += fmt::format("{}{}", text.empty() ? "" : " ", one.id);
  return text;
}

void send_all(workshop& here, std::initializer_list<const char*> keys) {
  for (const auto* key : keys) here.db.send(key);
}

void kill(workshop& here, std::int64_t id) {
  for (int i = 0; i < 3; ++i) {
    const auto held = here.db.receive();
    REQUIRE(ids(held) == std::to_string(id));
    here.db.fail(held.front());
  }
}

}  // namespace test
