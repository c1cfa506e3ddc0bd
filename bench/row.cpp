#include "row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace bench {
namespace {

std::string with_separators(double value) {
  std::string digits = fmt::format("{}", static_cast<std::int64_t>(std::llround(value)));
  for (std::size_t end = digits.size(); end > 3;) digits.insert(end -= 3, 1, ',');
  return digits;
}

std::string costs_text(double quern, double limit) {
  return quern > 0 && limit > 0 ? fmt::format("{:.1f} : {:.1f}", quern, limit) : "";
}

std::string goal_text(const row& of) {
  if (!of.aim) return "";
  const std::string_view sign = of.aim->is_upper ? "<=" : ">=";
  return fmt::format("{} {:g}{} {}", sign, of.aim->value, of.aim->unit,
                     of.aim->is_met_by(of.reached) ? "met" : "MISSED");
}

constexpr std::size_t columns = 9;
using line = std::array<std::string, columns>;

line cells(const row& of) {
  return {of.what,        of.with_quern,  of.without, fmt::format("{:.2f}", of.ratio), of.spread, goal_text(of),
          of.server_time, of.client_time, of.limit};
}

constexpr std::array is_number{false, true, true, true, false, false, true, true, false};

std::string aligned(const line& texts, const std::array<std::size_t, columns>& widths) {
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i)
    out += is_number[i] ? fmt::format("{:>{}}  ", texts[i], widths[i]) : fmt::format("{:<{}}  ", texts[i], widths[i]);
  out.erase(out.find_last_not_of(' ') + 1);
  return out + '\n';
}

}  // namespace

row message_row(std::string what, std::string limit, const comparison& measured, std::optional<double> at_least) {
  row made{.what = std::move(what),
           .limit = std::move(limit),
           .with_quern = with_separators(measured.quern_rate) + "/s",
           .without = with_separators(measured.limit_rate) + "/s",
           .ratio = measured.ratio,
           .reached = measured.ratio};
  if (at_least) made.aim = goal{.value = *at_least};
  made.spread = fmt::format("{:.2f} to {:.2f}", measured.low_ratio, measured.high_ratio);
  made.server_time = costs_text(measured.quern_costs.server, measured.limit_costs.server);
  made.client_time = costs_text(measured.quern_costs.client, measured.limit_costs.client);
  return made;
}

std::string as_table(const std::vector<row>& rows) {
  std::vector<line> lines{
      {"", "quern", "limit", "ratio", "half of them", "to reach", "server us", "client us", "the limit"}};
  for (const row& each : rows) lines.push_back(cells(each));
  std::array<std::size_t, columns> widths{};
  for (const line& each : lines)
    for (std::size_t i = 0; i < each.size(); ++i) widths[i] = std::max(widths[i], each[i].size());
  std::string out;
  for (const line& each : lines) out += aligned(each, widths);
  return out;
}

std::string as_json(const std::vector<row>& rows) {
  auto all = nlohmann::ordered_json::array();
  for (const row& each : rows) {
    nlohmann::ordered_json object{{"what", each.what},
                                  {"limit", each.limit},
                                  {"with_quern", each.with_quern},
                                  {"without", each.without},
                                  {"ratio", each.ratio},
                                  {"spread", each.spread},
                                  {"server_microseconds", each.server_time},
                                  {"client_microseconds", each.client_time}};
    if (each.aim)
      object.update({{"aim", each.aim->value},
                     {"is_upper_bound", each.aim->is_upper},
                     {"reached", each.reached},
                     {"is_met", each.aim->is_met_by(each.reached)}});
    all.push_back(std::move(object));
  }
  return all.dump(2) + '\n';
}

}  // namespace bench
