#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace test {

/// A declaration that changes at random, always so that what is released goes on to work beside it.
class random_project {
 public:
  explicit random_project(std::uint32_t seed) : random_{seed} {}

  /// Changes one thing and returns what.
  std::string change();

  /// From here on what is declared is released.
  void release();

  std::string declaration() const;

  /// A number from 0 to `count` - 1.
  std::size_t below(std::size_t count) { return random_() % count; }

 private:
  /// What of a field programs may depend on.
  struct shape {
    std::size_t ladder = 0;  // of types that get wider
    std::size_t width = 0;
    bool is_optional = false;
    bool has_default = false;
    bool operator==(const shape&) const = default;
  };

  struct field {
    std::string name{};
    shape is{};
    std::string limit{};          // `, max_length = 5`
    std::string value{};          // its default
    std::string released_name{};  // empty: not released
    std::string renamed_from{};   // stays for a while
    shape released{};
  };

  std::string unique() const;
  static std::string type_of(const shape& of);
  static bool is_text(const field& of);
  std::string random_default(const field& of);
  std::string fresh_name();
  field& any();
  std::string add();
  std::string remove();
  std::string rename();
  std::string swap_names();
  std::string widen();
  std::string change_presence();
  std::string change_default();
  std::string change_limit();
  std::string change_order();
  std::string change_enumeration();
  std::string change_options();
  std::string change_priorities();
  std::string change_other_queue();
  std::string rename_queue();

  std::mt19937 random_;
  std::string queue_ = "mail";
  std::string released_queue_{};            // empty: not released
  std::string former_queue_{};              // stays for a while
  std::vector<std::string> queue_names_{};  // that were released
  std::vector<field> fields_{{.name = "first"}};
  std::vector<std::string> removed_{};  // lines of the queue's table of that name
  std::size_t names_ = 0;
  std::size_t values_ = 2;  // of the enumeration
  std::size_t options_ = 0;
  std::size_t priorities_ = 0;
  bool has_other_ = false;
  bool has_released_other_ = false;
};

}  // namespace test
