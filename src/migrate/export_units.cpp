#include "migrate/export_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "migrate/export_sql.hpp"
#include "migrate/ledger.hpp"

namespace migrate {
namespace {

constexpr std::string_view nothing_to_do = "select 1;\n";

std::string as_name(std::string_view text) {
  std::string name;
  for (const char c : text) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

// The units of one step.
class step_units {
 public:
  step_units(const export_request& how, const migration& of, std::size_t step)
      : format_{how.format},
        schema_{how.schema},
        of_{of},
        step_{step},
        part_{of.steps[step]},
        is_draft_{how.drafts.contains(file_name(of))} {}

  std::vector<export_unit> made() const {
    if (part_.is_transactional) return {named(in_transaction(), 1, 1)};
    if (format_ == export_format::dbmate) return statement_by_statement();
    return {named(outside(), 1, 1)};
  }

 private:
  // The first step of each migration also makes the ledger, or gives an older one what it lacks.
  std::string ledger() const { return step_ == 0 ? ledger_bootstrap(schema_) : ""; }

  std::string row() const {
    return ledger_removal(schema_, of_, step_) + ledger_insert(schema_, of_, step_, {.is_draft = is_draft_});
  }

  std::string no_way_back() const {
    return refusal_sql(fmt::format("{}, step {} cannot be taken back", title(of_), part_.name));
  }

  export_unit in_transaction() const {
    const std::string settings = settings_sql(part_, "set local");
    export_unit made{.up = settings + ledger() + closed_sql(part_.sql) + row()};
    made.is_reversible = part_.reverse.has_value();
    made.down = made.is_reversible ? settings + closed_sql(part_.reverse->sql) + ledger_removal(schema_, of_, step_)
                                   : no_way_back();
    return made;
  }

  // The cleanup always comes first: such a file is tried again as a whole, also when all but the tool's own note of it
  // was done.
  export_unit outside() const {
    const std::string settings = settings_sql(part_, "set");
    export_unit made{.up = settings + ledger(), .is_transactional = false};
    if (part_.cleanup) made.up += closed_sql(part_.cleanup->sql);
    made.up += closed_sql(part_.sql) + row() + std::string{settings_reset};
    made.is_reversible = part_.reverse.has_value();
    made.down = made.is_reversible ? settings + closed_sql(part_.reverse->sql) + ledger_removal(schema_, of_, step_) +
                                         std::string{settings_reset}
                                   : no_way_back();
    return made;
  }

  // dbmate sends a section as one message, which is a transaction unless it holds a single statement. The statements of
  // the reverse are spread over the files from the last to the first.
  std::vector<export_unit> statement_by_statement() const {
    std::vector<std::string> ups = part_.cleanup ? single_statements(part_.cleanup->sql) : std::vector<std::string>{};
    for (std::string& statement : single_statements(part_.sql)) ups.push_back(std::move(statement));
    std::vector<std::string> downs =
        part_.reverse ? single_statements(part_.reverse->sql) : std::vector<std::string>{no_way_back()};
    const std::size_t count = std::max<std::size_t>({ups.size(), downs.size(), 1});
    ups.insert(ups.begin(), count - ups.size(), std::string{nothing_to_do});
    downs.resize(count, std::string{nothing_to_do});
    std::vector<export_unit> units;
    if (step_ == 0) units.push_back({.up = ledger(), .down = std::string{nothing_to_do}});
    for (std::size_t i = 0; i < count; ++i)
      units.push_back({.up = ups[i], .down = downs[count - 1 - i], .is_transactional = false});
    units.push_back({.up = row(), .down = part_.reverse ? ledger_removal(schema_, of_, step_) : no_way_back()});
    for (std::size_t i = 0; i < units.size(); ++i) {
      units[i].is_reversible = part_.reverse.has_value();
      units[i] = named(std::move(units[i]), i + 1, units.size());
    }
    return units;
  }

  export_unit named(export_unit made, std::size_t part, std::size_t parts) const {
    made.key = fmt::format("{} {}/{} {}/{}", title(of_), step_ + 1, of_.steps.size(), part, parts);
    made.name = fmt::format("{}_{:04}_{}", of_.line, of_.number, of_.name);
    if (of_.steps.size() > 1) made.name += fmt::format("_{}_{}", step_ + 1, as_name(part_.name));
    if (parts > 1) made.name += fmt::format("_part_{}", part);
    made.verify = ledger_proof(schema_, of_, step_);
    made.is_draft = is_draft_;
    return made;
  }

  export_format format_;
  const std::string& schema_;
  const migration& of_;
  std::size_t step_;
  const step& part_;
  bool is_draft_;
};

export_unit whole(const export_request& how, const migration& one) {
  const bool is_draft = how.drafts.contains(file_name(one));
  return {.key = fmt::format("{} 1/1 1/1", title(one)),
          .name = fmt::format("{}_{:04}_{}", one.line, one.number, one.name),
          .up = psql_opening(how.schema) + psql_script(how.schema, one, is_draft) + psql_closing(how.schema),
          .is_draft = is_draft};
}

}  // namespace

std::vector<export_unit> export_units(const directory& files, const export_request& how) {
  std::vector<export_unit> units;
  for (const migration& one : files.migrations) {
    if (how.format == export_format::plain) {
      units.push_back(whole(how, one));
      continue;
    }
    for (std::size_t step = 0; step < one.steps.size(); ++step)
      for (export_unit& unit : step_units{how, one, step}.made()) units.push_back(std::move(unit));
  }
  return units;
}

}  // namespace migrate
