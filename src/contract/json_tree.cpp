#include "contract/json_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace contract {

namespace {

using nlohmann::json;

constexpr std::size_t deepest = 16;

/// Counts lines while the parser reads.
class line_counting_iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  line_counting_iterator(const char* at, std::size_t* line) : at_{at}, line_{line} {}

  reference operator*() const { return *at_; }

  line_counting_iterator& operator++() {
    if (*at_ == '\n') ++*line_;
    ++at_;
    return *this;
  }

  bool operator==(const line_counting_iterator& other) const { return at_ == other.at_; }

  bool operator!=(const line_counting_iterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* line_;
};

text::position position_at(std::string_view content, std::size_t offset) {
  const auto before = content.substr(0, std::min(offset, content.size()));
  const auto line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const auto start = before.rfind('\n');
  return {line, start == std::string_view::npos ? before.size() + 1 : before.size() - start};
}

/// The parser library says `[json.exception.parse_error.101] parse error at line …: syntax error while parsing … -
/// what`.
std::string plain_message(std::string_view what) {
  const auto dash = what.find(" - ");
  auto rest = dash == std::string_view::npos ? what : what.substr(dash + 3);
  return std::string{rest.substr(0, rest.find('\n'))};
}

class tree_builder : public nlohmann::json_sax<json> {
 public:
  tree_builder(std::string_view content, const std::size_t* line) : content_{content}, line_{line} {}

  bool null() override { return add({}); }

  bool boolean(bool value) override { return add(value); }

  bool number_integer(number_integer_t number) override { return add(number); }

  bool number_unsigned(number_unsigned_t number) override { return add(static_cast<std::int64_t>(number)); }

  bool number_float(number_float_t, const string_t&) override { return add({}); }

  bool string(string_t& text) override { return add(std::move(text)); }

  bool binary(binary_t&) override { return add({}); }

  bool start_object(std::size_t) override { return open(json_node::members{}); }

  bool start_array(std::size_t) override { return open(json_node::items{}); }

  bool end_object() override { return close(); }

  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& members = std::get<json_node::members>(open_.back().node.value);
    const auto has_name = [&](const auto& member) { return member.name == name; };
    // Linear for few members only: a lock has an object with a member for every queue.
    const bool is_twice = members.size() < 16 ? std::any_of(members.begin(), members.end(), has_name)
                                              : !seen(open_.back(), members, name);
    if (is_twice) return fail(fmt::format("the key \"{}\" stands twice in one object", name));
    members.push_back({std::move(name), {}});
    return true;
  }

  bool parse_error(std::size_t offset, const std::string&, const json::exception& error) override {
    problem_ = {position_at(content_, offset == 0 ? 0 : offset - 1), plain_message(error.what())};
    return false;
  }

  json_node take_root() { return std::move(root_); }

  std::optional<json_problem> problem() const { return problem_; }

 private:
  struct level {
    json_node node;
    std::vector<std::string> sorted_keys;
  };

  static bool seen(level& level, const json_node::members& members, const std::string& name) {
    auto& keys = level.sorted_keys;
    if (keys.empty()) {
      for (const auto& [key, node] : members) keys.push_back(key);
      std::sort(keys.begin(), keys.end());
    }
    // quern writes keys in order, so that the place is the end.
    const auto place = keys.back() < name ? keys.end() : std::lower_bound(keys.begin(), keys.end(), name);
    if (place != keys.end() && *place == name) return false;
    keys.insert(place, name);
    return true;
  }

  bool fail(std::string message) {
    problem_ = json_problem{{*line_, 1}, std::move(message)};
    return false;
  }

  bool add(decltype(json_node::value) value) { return place({std::move(value), *line_}); }

  bool place(json_node node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (auto* members = std::get_if<json_node::members>(&open_.back().node.value)) {
      members->back().value = std::move(node);
    } else {
      std::get<json_node::items>(open_.back().node.value).push_back(std::move(node));
    }
    return true;
  }

  bool open(decltype(json_node::value) value) {
    if (open_.size() == deepest) return fail("objects and arrays stand too deep in each other");
    open_.push_back({{std::move(value), *line_}, {}});
    return true;
  }

  bool close() {
    auto node = std::move(open_.back().node);
    open_.pop_back();
    return place(std::move(node));
  }

  std::string_view content_;
  const std::size_t* line_;
  json_node root_;
  std::vector<level> open_;
  std::optional<json_problem> problem_;
};

}  // namespace

std::variant<json_node, json_problem> read_json(std::string_view content) {
  std::size_t line = 1;
  tree_builder builder{content, &line};
  const line_counting_iterator begin{content.data(), &line};
  const line_counting_iterator end{content.data() + content.size(), &line};
  json::sax_parse(begin, end, &builder);
  if (auto problem = builder.problem()) return *std::move(problem);
  return builder.take_root();
}

std::string json_string(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace contract
