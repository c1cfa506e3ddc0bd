#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "declaration/codes.hpp"
#include "declaration/filter.hpp"
#include "declaration/keys.hpp"
#include "declaration/read_parts.hpp"

namespace declaration {
namespace {

std::size_t size_of_word(std::string_view text, std::size_t offset) {
  const auto is_in_word = [](unsigned char c) { return c == '_' || std::isalnum(c) != 0; };
  std::size_t size = 0;
  while (offset + size < text.size() && is_in_word(static_cast<unsigned char>(text[offset + size]))) ++size;
  return size;
}

text::span place_of(const node& written, const filter_problem& problem) {
  const auto size = problem.size == 0 ? size_of_word(written.text, problem.offset) : problem.size;
  return place_of(written, problem.offset, size);
}

std::vector<field> fields_of(const queue& of) {
  if (!of.is_schemaless) return of.payload;
  field whole;
  whole.name = "payload";
  whole.type.base = base_type::jsonb;
  return {std::move(whole)};
}

class filter_reader {
 public:
  filter_reader(const queue& of, const entry* payload, const known_enumerations& known, report& problems)
      : fields_{fields_of(of)}, payload_{payload}, known_{known}, problems_{problems} {}

  std::string read(const entry& from) {
    const auto written = read_text(from, "a condition as a string: \"kind = 'signup'\"", problems_);
    if (!written) return {};
    auto [root, found] = parse_filter(*written);
    if (root) found = check_filter(*root, scope());
    auto spelled = found.empty() ? spell_filter(*root) : std::string{};
    // With what was added it may be too long or too deep to be read again out of the lock.
    if (found.empty()) found = parse_filter(spelled).problems;
    for (const auto& one : found) problems_.error(one.code, place_of(from.value, one), one.message).help = one.help;
    return found.empty() ? spelled : std::string{};
  }

 private:
  filter_scope scope() const {
    filter_scope made;
    made.fields = fields_;
    if (known_.declared != nullptr) made.enumerations = *known_.declared;
    // What the payload is cannot be said when it is missing.
    made.is_reported = [this](std::string_view name) {
      return payload_ == nullptr ||
             (payload_->value.kind == node_kind::table && find_entry(payload_->value, name) != nullptr);
    };
    return made;
  }

  std::vector<field> fields_;
  const entry* payload_;
  const known_enumerations& known_;
  report& problems_;
};

}  // namespace

void read_filters(const entry& consumers, queue& of, const entry* payload, const known_enumerations& known,
                  report& problems) {
  filter_reader reader{of, payload, known, problems};
  if (consumers.value.kind != node_kind::table) return;
  for (const auto& each : consumers.value.entries) {
    if (each.value.kind != node_kind::table) continue;
    const auto* filter = find_entry(each.value, "where");
    if (filter == nullptr) continue;
    auto text = reader.read(*filter);
    const auto consumer = std::ranges::find(of.stream->consumers, each.key, &stream_consumer::name);
    if (consumer != of.stream->consumers.end()) consumer->filter = std::move(text);
  }
}

}  // namespace declaration
