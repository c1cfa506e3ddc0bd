#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "declaration/pattern.hpp"
#include "declaration/pattern_sets.hpp"
#include "declaration/pattern_syntax.hpp"
#include "text/utf8.hpp"

namespace declaration {
namespace {

// PostgreSQL has a limit of its own kind; a pattern near this one is no constraint that anybody can read.
constexpr std::size_t most_states = 20'000;
constexpr std::size_t most_steps = 20'000'000;

enum class state_kind { set, split, begin, end, accept };

/// A state of Thompson's automaton (Thompson 1968): all of them are followed at once, so no pattern takes exponential
/// time.
struct state {
  state_kind kind = state_kind::accept;
  const character_set* set = nullptr;
  std::size_t next = 0;
  std::size_t other = 0;  // of a split
};

/// Builds the automaton from its end to its beginning: each part is given the state that follows it.
class compiler {
 public:
  /// False when the automaton is too large.
  bool compile(const pattern_node& root) {
    const auto accept = add({});
    start_ = build(root, accept);
    return !is_too_large_;
  }

  const std::vector<state>& states() const { return states_; }

  std::size_t start() const { return start_; }

 private:
  std::size_t add(state s) {
    if (states_.size() >= most_states) return is_too_large_ = true, std::size_t{0};
    states_.push_back(s);
    return states_.size() - 1;
  }

  std::size_t build(const pattern_node& part, std::size_t next) {
    if (is_too_large_) return next;
    switch (part.kind) {
      case pattern_kind::empty:
      case pattern_kind::unknown:
        return next;
      case pattern_kind::set:
        return add({state_kind::set, &part.set, next});
      case pattern_kind::begin:
        return add({state_kind::begin, nullptr, next});
      case pattern_kind::end:
        return add({state_kind::end, nullptr, next});
      case pattern_kind::sequence:
        for (auto each = part.parts.rbegin(); each != part.parts.rend(); ++each) next = build(*each, next);
        return next;
      case pattern_kind::alternation:
        return build_alternation(part, next);
      case pattern_kind::repetition:
        return build_repetition(part, next);
    }
    return next;
  }

  std::size_t build_alternation(const pattern_node& part, std::size_t next) {
    auto entry = build(part.parts.back(), next);
    for (auto each = part.parts.rbegin() + 1; each != part.parts.rend(); ++each) {
      entry = add({state_kind::split, nullptr, build(*each, next), entry});
    }
    return entry;
  }

  std::size_t build_repetition(const pattern_node& part, std::size_t next) {
    const auto& body = part.parts.front();
    auto entry = next;
    if (part.max == -1) {
      entry = add({state_kind::split, nullptr, 0, next});
      const auto again = build(body, entry);
      if (!is_too_large_) states_[entry].next = again;
    }
    for (int i = part.min; i < part.max && !is_too_large_; ++i) {
      entry = add({state_kind::split, nullptr, build(body, entry), next});
    }
    for (int i = 0; i < part.min && !is_too_large_; ++i) entry = build(body, entry);
    return entry;
  }

  std::vector<state> states_;
  std::size_t start_ = 0;
  bool is_too_large_ = false;
};

/// Follows the automaton over a text; a match may begin anywhere.
class follower {
 public:
  follower(const compiler& automaton, const std::vector<char32_t>& text)
      : states_(automaton.states()), start_(automaton.start()), text_(text), seen_(states_.size(), 0) {}

  bool search() {
    std::vector<std::size_t> current;
    for (std::size_t at = 0;; ++at) {
      ++round_;
      reached_.clear();
      for (const auto s : current) reach(s, at);
      reach(start_, at);
      if (is_accepted_ || at == text_.size()) return is_accepted_;
      current.clear();
      for (const auto s : reached_) {
        if (contains(*states_[s].set, text_[at])) current.push_back(states_[s].next);
      }
    }
  }

 private:
  void reach(std::size_t first, std::size_t at) {
    pending_.push_back(first);
    while (!pending_.empty()) {
      const auto index = pending_.back();
      pending_.pop_back();
      if (std::exchange(seen_[index], round_) == round_) continue;
      const auto& s = states_[index];
      if (s.kind == state_kind::accept) is_accepted_ = true;
      if (s.kind == state_kind::set) reached_.push_back(index);
      if (s.kind == state_kind::split) pending_.push_back(s.other);
      const bool passes = s.kind == state_kind::split || (s.kind == state_kind::begin && at == 0) ||
                          (s.kind == state_kind::end && at == text_.size());
      if (passes) pending_.push_back(s.next);
    }
  }

  const std::vector<state>& states_;
  std::size_t start_;
  const std::vector<char32_t>& text_;
  std::vector<std::size_t> seen_;  // the round in which a state was last reached
  std::vector<std::size_t> reached_;
  std::vector<std::size_t> pending_;
  std::size_t round_ = 0;
  bool is_accepted_ = false;
};

bool has_unknown(const pattern_node& part, bool is_ascii) {
  if (part.kind == pattern_kind::unknown || (part.set.depends_on_locale && !is_ascii)) return true;
  return std::any_of(part.parts.begin(), part.parts.end(),
                     [&](const pattern_node& p) { return has_unknown(p, is_ascii); });
}

}  // namespace

std::string find_pattern_problem(std::string_view pattern) {
  const auto parsed = parse_pattern(pattern);
  if (!parsed.problem.empty()) return parsed.problem;
  return compiler().compile(parsed.root) ? std::string{} : "its repetitions make it too large";
}

match_result match(std::string_view pattern, std::string_view text) {
  const auto parsed = parse_pattern(pattern);
  std::vector<char32_t> characters;
  for (std::size_t offset = 0; offset < text.size();) {
    const auto c = text::character_at(text, offset);
    characters.push_back(c.code_point);
    offset += c.size;
  }
  const bool is_ascii = characters.size() == text.size();
  compiler automaton;
  if (!parsed.problem.empty() || has_unknown(parsed.root, is_ascii) || !automaton.compile(parsed.root))
    return match_result::unknown;
  if (automaton.states().size() * (characters.size() + 1) > most_steps) return match_result::unknown;
  return follower(automaton, characters).search() ? match_result::yes : match_result::no;
}

}  // namespace declaration
