#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "history.hpp"
#include "report.hpp"

namespace torture {

/// A line of a history.
struct record {
  micros at = 0;
  char what = 0;
  std::array<std::int64_t, 6> numbers{};  // its fields, as far as they are numbers
  std::string_view rest{};                // its fields as they stand there
};

/// The part of a line that is no whole one gives nothing: a kill between two calls of the system leaves none.
record parse_record(std::string_view line);

/// Calls for each line of each history of a stream or queue, with the name of its file.
void for_each_record(const std::filesystem::path& directory, std::string_view line,
                     const std::function<void(const std::string& file, const record&)>& visit);

/// What is known of a transaction that published or enqueued.
struct tx_facts {
  micros begun = 0;
  micros intent = 0;     // 0: it never came to that
  micros committed = 0;  // 0: not, or it is not known
  std::int64_t count = 0;
  bool is_taken_back = false;

  bool is_unknown() const { return intent != 0 && committed == 0 && !is_taken_back; }
  bool may_be_seen() const { return intent != 0 && !is_taken_back; }
};

using tx_map = std::unordered_map<std::int64_t, tx_facts>;

/// Takes a record of a transaction; false when it is of something else.
bool take_tx(tx_map& known, const record& from);

/// Takes a record of an error or of what a player found by itself; false when it is of something else.
bool take_trouble(report& into, const std::string& file, const record& from);

/// Why a transaction should not be seen.
std::string why_unseen(const tx_map& known, std::int64_t tx);

}  // namespace torture
