#include <string>
#include <unordered_set>

#include "declaration/statements.hpp"

namespace declaration {
namespace {

class cost_counter {
 public:
  std::uint64_t count(const std::vector<statement>& statements) {
    for (const auto& each : statements) {
      if (each.kind == statement_kind::key_value) add_key(each);
      if (each.kind == statement_kind::header || each.kind == statement_kind::array_header) add_header(each);
    }
    return cost_;
  }

 private:
  void add_key(const statement& s) {
    add_tables(s.inner_tables);
    if (s.path.size() < 2) return;
    for (const auto& above : prefixes(joined(s.path))) {
      if (dotted_.insert(std::to_string(header_) + above).second) ++tables_;
    }
    add_tables(0, s.path.size() - 1);
  }

  void add_header(const statement& s) {
    ++header_;
    const auto path = joined(s.path);
    for (const auto& above : prefixes(path)) {
      if (!named_.contains(above)) implied_.insert(above);
    }
    if (implied_.contains(path)) cost_ += implied_.size();
    implied_.erase(path);
    named_.insert(path);
    if (s.kind == statement_kind::array_header) ++arrays_;
    cost_ += arrays_ * s.path.size();
  }

  /// New tables, and searches for known ones.
  void add_tables(std::size_t made, std::size_t searched = 0) {
    tables_ += made;
    cost_ += (made + searched) * (tables_ + implied_.size());
  }

  std::unordered_set<std::string> dotted_;   // paths below the number of their header
  std::unordered_set<std::string> named_;    // paths of headers
  std::unordered_set<std::string> implied_;  // paths above those
  std::uint64_t tables_ = 0;
  std::uint64_t arrays_ = 0;
  std::uint64_t header_ = 0;
  std::uint64_t cost_ = 0;
};

}  // namespace

std::uint64_t parse_cost(const std::vector<statement>& statements) {
  return cost_counter().count(statements);
}

}  // namespace declaration
