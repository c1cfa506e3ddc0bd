#include "many_queues.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* head = R"([project]
name = "many"

[enums.channel]
values = ["email", "sms", "push"]
)";

// Six digits at the end of the name.
constexpr const char* queue = R"(
[queues.mail_{0:06}]
doc         = "Mail of shop {0}."
lease       = "30s"
retry       = {{ max_attempts = 8, backoff = "exponential", initial = "1s", max = "1h", jitter = 0.2 }}
dead_letter = true

[queues.mail_{0:06}.payload]
order_id    = "int64"
customer_id = "int64"
recipient   = {{ type = "text", max_length = 320 }}
channel     = {{ type = "channel", default = "email" }}
subject     = "text"
note        = "text?"
attachments = {{ type = "uuid[]", default = [] }}
send_after  = "timestamp?"
)";

}  // namespace

many_queues::many_queues(const fs::path& directory, int count) : directory_{directory} {
  fs::remove_all(directory_);
  fs::create_directories(directory_);
  std::string text = head;
  for (int i = 1; i <= count; ++i) text += fmt::format(queue, i);
  std::ofstream file{directory_ / "quern.toml"};
  file << text;
  if (!file.flush()) throw std::runtime_error{fmt::format("cannot write into {}", directory_.string())};
}

void many_queues::clear() const {
  fs::remove_all(directory_ / "migrations");
  fs::remove_all(directory_ / "generated");
}

std::vector<std::string> many_queues::generate(const std::vector<std::string>& more) const {
  std::vector<std::string> words{"generate",
                                 "--file",
                                 (directory_ / "quern.toml").string(),
                                 "--migrations",
                                 migrations().string(),
                                 "--out",
                                 (directory_ / "generated").string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::size_t many_queues::file_count() const {
  std::size_t count = 0;
  for (const char* const part : {"migrations", "generated"})
    for (const auto& each : fs::recursive_directory_iterator{directory_ / part})
      if (each.is_regular_file()) ++count;
  return count;
}

}  // namespace bench
