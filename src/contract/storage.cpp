#include "contract/storage.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "contract/counterpart.hpp"
#include "contract/types.hpp"

namespace contract {

namespace {

using contracts_view = std::vector<payload_contract>;

const field* stored_in(const payload_contract& contract, std::string_view column) {
  const auto is_it = [&](const field& one) { return one.column == column; };
  const auto place = std::find_if(contract.fields.begin(), contract.fields.end(), is_it);
  return place == contract.fields.end() ? nullptr : &*place;
}

/// A field of a version that is as near to another version as its history goes.
struct nearest_field {
  const field* is = nullptr;
  int version = 0;
};

nearest_field nearest(const contracts_view& contracts, const payload_contract& known, const field& of, int to) {
  nearest_field result{&of, known.version};
  while (result.version != to) {
    const int next = result.version + (result.version < to ? 1 : -1);
    const auto* found = counterpart(contracts, result.version, *result.is, next);
    if (found == nullptr) break;
    result = {found, next};
  }
  return result;
}

/// What messages hold that were written after the field was removed, if something was said or follows from the field.
std::optional<std::string> fill_after_removal(const contracts_view& contracts, const nearest_field& last) {
  for (const auto& removed : contracts[static_cast<std::size_t>(last.version)].removed) {
    if (removed.name == last.is->name) return removed.value;
  }
  return last.is->default_value;
}

/// The default of the column as it was made: of a field that continues none. A queue that was dropped and made again
/// has another column of that name.
std::optional<std::string> fill_at_birth(const contracts_view& contracts, std::string_view column) {
  std::optional<std::string> result;
  for (const auto& one : contracts) {
    const auto* field = stored_in(one, column);
    if (field == nullptr) continue;
    const bool is_continued =
        one.version > 1 && counterpart(contracts, one.version, *field, one.version - 1) != nullptr;
    if (!is_continued) result = field->default_value;
  }
  return result;
}

stored_column column_of(const contracts_view& contracts, const payload_contract& first, const field& field) {
  stored_column result{field.column, storage_type(field.type), true, fill_at_birth(contracts, field.column)};
  for (const auto* writer : live(contracts)) {
    const auto last = nearest(contracts, first, field, writer->version);
    if (last.version >= writer->version || last.is->column != field.column) continue;
    result.fill = fill_after_removal(contracts, last);
  }
  for (const auto* writer : live(contracts)) {
    const auto* own = stored_in(*writer, field.column);
    const bool holds_value = own != nullptr ? !is_optional(*own) : result.fill.has_value();
    result.is_required = result.is_required && holds_value;
  }
  return result;
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, trouble] = std::from_chars(text.data(), end, value);
  return trouble == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

/// Whether the writer's limit is at least as tight; texts of dates and intervals only when they are the same.
bool holds(const std::optional<std::string>& wanted, const std::optional<std::string>& held, bool is_min) {
  if (!wanted || wanted == held) return true;
  if (!held) return false;
  const auto a = number(*wanted);
  const auto b = number(*held);
  return a && b && (is_min ? *b >= *a : *b <= *a);
}

bool knows_all(const field& reader, const field& writer) {
  return std::all_of(writer.values.begin(), writer.values.end(), [&](const std::string& value) {
    return std::find(reader.values.begin(), reader.values.end(), value) != reader.values.end();
  });
}

void add_limits(conversion& result, const field& wanted, const field& written) {
  if (!holds(wanted.min, written.min, true)) result.min = wanted.min;
  if (!holds(wanted.max, written.max, false)) result.max = wanted.max;
  if (wanted.max_length && (!written.max_length || *written.max_length > *wanted.max_length)) {
    result.max_length = wanted.max_length;
  }
  if (wanted.pattern != written.pattern) result.pattern = wanted.pattern;
  if (!knows_all(wanted, written)) result.values = wanted.values;
  result.needs_elements = has_optional_elements(written) && !has_optional_elements(wanted);
}

}  // namespace

bool conversion::is_plain() const {
  return is_possible && !needs_value && !needs_range && !needs_elements && !min && !max && !max_length && !pattern &&
         values.empty();
}

std::vector<stored_column> columns_of(const std::vector<payload_contract>& contracts) {
  std::vector<stored_column> result;
  std::set<std::string_view> seen;
  const auto alive = live(contracts);
  for (const auto& contract : contracts) {
    for (const auto& made : contract.fields) {
      if (!seen.insert(made.column).second) continue;
      for (const auto* first : alive) {
        const auto* field = stored_in(*first, made.column);
        if (field == nullptr) continue;
        result.push_back(column_of(contracts, *first, *field));
        break;
      }
    }
  }
  return result;
}

conversion convert(const std::vector<payload_contract>& contracts, const payload_contract& reader, const field& wanted,
                   const payload_contract& writer) {
  conversion result;
  // A writer that does not know the field left the fill in the column of the nearest contract that does.
  const auto [written, version] = nearest(contracts, reader, wanted, writer.version);
  if (version != writer.version && !is_optional(*written)) {
    result.is_possible = version > writer.version ? written->default_value.has_value()
                                                  : fill_after_removal(contracts, {written, version}).has_value();
  }
  result.column = written->column;
  result.from_type = storage_type(written->type);
  result.to_type = storage_type(wanted.type);
  result.needs_range = result.from_type != result.to_type && !is_widened(result.from_type, result.to_type);
  if (is_optional(*written) && !is_optional(wanted)) {
    result.instead = wanted.default_value;
    result.needs_value = !wanted.default_value;
  }
  add_limits(result, wanted, *written);
  return result;
}

}  // namespace contract
