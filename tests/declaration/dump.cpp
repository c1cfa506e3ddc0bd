#include "dump.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <iterator>
#include <string_view>
#include <variant>

#include "declaration/cron.hpp"
#include "declaration/duration.hpp"
#include "declaration/types.hpp"

namespace test {
namespace {

struct value_dumper {
  std::string operator()(bool v) const { return v ? "true" : "false"; }

  std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }

  std::string operator()(double v) const { return fmt::format("float {}", v); }

  std::string operator()(const std::string& v) const { return fmt::format("{:?}", std::string_view(v)); }

  std::string operator()(const declaration::empty_array&) const { return "[]"; }
};

std::string spelled(const declaration::value& v) {
  return std::visit(value_dumper{}, v);
}

class dumper {
 public:
  std::string dump(const declaration::project& p) {
    line("project {} schema {} namespace {} postgres {}", p.name, p.schema, p.cpp_namespace, p.postgres);
    for (const auto& e : p.enumerations) add(e);
    for (const auto& q : p.queues) add(q);
    for (const auto& q : p.removed_queues) add(q);
    for (const auto& s : p.schedules) add(s);
    return std::move(out_);
  }

 private:
  template <typename... Arguments>
  void line(fmt::format_string<Arguments...> form, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out_), form, std::forward<Arguments>(arguments)...);
    out_ += '\n';
  }

  void add(const declaration::enumeration& e) {
    line("enum {} at {}:{}", e.name, e.where.begin.line, e.where.begin.column);
    if (!e.doc.empty()) line("  doc {}", quoted(e.doc));
    line("  values {}", fmt::join(e.values, " "));
  }

  void add(const declaration::schedule& s) {
    constexpr std::array policies{"none", "last", "all"};
    line("schedule {} at {}:{}", s.name, s.where.begin.line, s.where.begin.column);
    if (!s.doc.empty()) line("  doc {}", quoted(s.doc));
    const auto times = declaration::parse_cron(s.cron).times;
    line("  cron {} in {}", quoted(s.cron), s.zone);
    line("  minutes {} hours {} days {} months {} weekdays {}", times.minutes, times.hours, times.days, times.months,
         times.weekdays);
    line("  target {} catch_up {} runner {}", s.target, policies[static_cast<std::size_t>(s.catch_up)],
         s.runner == declaration::schedule_runner::quern ? "quern" : "pg_cron");
    line("  payload {}", s.payload);
  }

  void add(const declaration::queue& q) {
    line("queue {} at {}:{}", q.name, q.where.begin.line, q.where.begin.column);
    if (!q.doc.empty()) line("  doc {}", quoted(q.doc));
    if (q.stream) add(*q.stream);
    if (q.is_log) line("  storage log");
    if (q.keep_done) line("  keep done {}", declaration::spell_duration(*q.keep_done));
    if (!q.stream) line("  lease {} dead_letter {}", declaration::spell_duration(q.lease), q.dead_letter);
    if (q.priorities > 0) line("  priorities {}", q.priorities);
    if (q.has_headers) line("  headers");
    if (q.expires) line("  expires {}", declaration::spell_duration(*q.expires));
    if (q.sunset != declaration::queue{}.sunset) line("  sunset {}", declaration::spell_duration(q.sunset));
    if (!q.stream) line("  {}", retry(q.retry));
    add("produce", q.grants.produce);
    add("consume", q.grants.consume);
    add("operate", q.grants.operate);
    if (q.concurrency > 0) line("  concurrency {}", q.concurrency);
    if (q.order && q.order->per_key > 0) line("  at most {} of each {}", q.order->per_key, q.order->field);
    if (q.rate)
      line("  rate {} in {} burst {}", q.rate->count, declaration::spell_duration(q.rate->per), q.rate->burst);
    if (q.unique) {
      line("  unique by {} {}", fmt::join(q.unique->fields, ", "),
           q.unique->within ? "within " + declaration::spell_duration(*q.unique->within) : "while pending");
    }
    if (q.order && q.order->per_key == 0) line("  {}", order(*q.order));
    if (q.is_schemaless) line("  schemaless");
    for (const auto& f : q.payload) add(f);
    if (!q.removed.empty()) line("  removed");
    for (const auto& f : q.removed) add(f);
    if (!q.renamed_from.empty())
      line("  renamed from {} at {}:{}", q.renamed_from, q.renamed_where.begin.line, q.renamed_where.begin.column);
    if (!q.breaks) return;
    const auto& [version, reason, until, where] = *q.breaks;
    line("  breaks with v{} until {} because {} at {}:{}", version, until, quoted(reason), where.begin.line,
         where.begin.column);
  }

  void add(const declaration::removed_queue& q) {
    line("removed {} {} at {}:{}{}", q.is_stream ? "stream" : "queue", q.name, q.where.begin.line, q.where.begin.column,
         q.discards_messages ? " with its messages" : "");
  }

  void add(const declaration::stream_settings& s) {
    line("  stream retention {}", declaration::spell_duration(s.retention));
    for (const auto& c : s.consumers) {
      line("  consumer {} from the {} at {}:{}", c.name, c.from_start ? "start" : "end", c.where.begin.line,
           c.where.begin.column);
      if (!c.filter.empty()) line("    where {}", c.filter);
      if (!c.is_cooperative) continue;
      line("    cooperative with a lease of {}", declaration::spell_duration(c.lease));
      if (c.order) line("    {}", order(*c.order));
      line("    {}", retry(c.retry));
    }
  }

  static std::string order(const declaration::ordering& o) {
    return fmt::format("ordered by {} on failure {} at {}:{}", o.field,
                       o.on_failure == declaration::failure_policy::skip ? "skip" : "block", o.where.begin.line,
                       o.where.begin.column);
  }

  static std::string retry(const declaration::retry_policy& r) {
    constexpr std::array backoffs{"constant", "linear", "exponential"};
    return fmt::format("retry {} {} {} to {} jitter {}", r.max_attempts,
                       backoffs.at(static_cast<std::size_t>(r.backoff)), declaration::spell_duration(r.initial),
                       declaration::spell_duration(r.max), r.jitter);
  }

  void add(std::string_view right, const std::vector<std::string>& roles) {
    if (!roles.empty()) line("  {} by {}", right, fmt::join(roles, ", "));
  }

  void add(const declaration::field& f) {
    line("  {} {} at {}:{}", f.name, declaration::spell(f.type), f.where.begin.line, f.where.begin.column);
    if (!f.doc.empty()) line("    doc {}", quoted(f.doc));
    if (!f.renamed_from.empty()) line("    renamed from {}", f.renamed_from);
    if (f.default_value) line("    default {}", spelled(*f.default_value));
    if (f.constraints.min) line("    min {}", spelled(*f.constraints.min));
    if (f.constraints.max) line("    max {}", spelled(*f.constraints.max));
    if (f.constraints.max_length) line("    max_length {}", *f.constraints.max_length);
    if (f.constraints.pattern) line("    pattern {}", quoted(*f.constraints.pattern));
  }

  static std::string quoted(std::string_view written) { return fmt::format("{:?}", written); }

  std::string out_;
};

}  // namespace

std::string dump(const declaration::project& project) {
  return dumper().dump(project);
}

}  // namespace test
