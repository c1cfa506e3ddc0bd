#include "recipes/engines.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "text/diagnostic.hpp"

namespace test {

namespace {

/// The program's templates, being changed.
class edited_templates {
 public:
  edited_templates() : sources_{render::load_templates(std::nullopt)} {}

  edited_templates& append(const std::string& name, const std::string& text) {
    content_of(name) += "\n" + text;
    return *this;
  }

  edited_templates& replace(const std::string& name, const std::string& part, const std::string& instead) {
    auto& content = content_of(name);
    const auto at = content.find(part);
    if (at == std::string::npos) throw std::runtime_error{name + " does not hold: " + part};
    content.replace(at, part.size(), instead);
    return *this;
  }

  edited_templates& add(const std::string& name, const std::string& text) {
    sources_.push_back({name, {"templates/" + name, text}, {}});
    return *this;
  }

  render::template_set checked() const {
    auto result = render::check_templates(sources_);
    if (result.problems.empty()) return result;
    throw std::runtime_error{text::spell(result.problems.front().diagnostics, result.problems.front().source)};
  }

 private:
  std::string& content_of(const std::string& name) {
    const auto place = std::ranges::find(sources_, name, &render::template_source::name);
    if (place == sources_.end()) throw std::runtime_error{"there is no template " + name};
    return place->source.content;
  }

  std::vector<render::template_source> sources_;
};

std::string sql(const std::string& name) {
  return "sql/" + name + ".sql.mustache";
}

edited_templates next_number() {
  edited_templates made;
  made.append("engine.txt", "2 Consumers ring.\n");
  return made;
}

/// A helper that another one stands on.
std::string doubling(const std::string& type) {
  return "create function {{prefix}}_double(p_number " + type + ")\nreturns " + type +
         "\nlanguage sql\nset search_path = pg_catalog, pg_temp\nbegin atomic\n  select p_number * 2;\nend;\n\n"
         "create function {{prefix}}_quadruple(p_number integer)\nreturns bigint\nlanguage sql\n"
         "set search_path = pg_catalog, pg_temp\nbegin atomic\n"
         "  select {{prefix}}_double({{prefix}}_double(p_number));\nend;\n"
         "comment on function {{prefix}}_quadruple is 'Stands on another one.';\n";
}

/// A function that counts its calls in a sequence of its name.
std::string counting(const std::string& name) {
  return "create function {{prefix}}_" + name +
         "()\nreturns bigint\nlanguage plpgsql\nset search_path = pg_catalog, pg_temp\nas $$\nbegin\n"
         "  return nextval('{{prefix}}_" +
         name + "_count');\nend\n$$;\ncomment on function {{prefix}}_" + name + " is 'Counts.';\n";
}

std::string sequence_of(const std::string& name) {
  return "create sequence {{prefix}}_" + name + "_count as bigint minvalue 0;\ncomment on sequence {{prefix}}_" + name +
         "_count is 'How often.';\n";
}

constexpr auto queue_steps = R"(-- step: handled_count
-- lock: access exclusive on {{prefix}}_message, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table {{prefix}}_message add column handled_count integer not null default 0;

-- reverse
alter table {{prefix}}_message drop column handled_count;

-- step: index_enqueued
-- lock: share update exclusive on {{prefix}}_delayed; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently {{queue}}_delayed_enqueued on {{prefix}}_delayed (enqueued_at);

-- probe
select x.indisvalid from pg_catalog.pg_index as x where x.indexrelid = pg_catalog.to_regclass('{{prefix}}_delayed_enqueued');

-- cleanup
drop index concurrently if exists {{prefix}}_delayed_enqueued;

-- reverse
drop index concurrently if exists {{prefix}}_delayed_enqueued;
)";

constexpr auto last_queue_steps = R"(-- step: rename_comment
-- lock: share update exclusive on {{prefix}}_delayed, for an instant
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

comment on table {{prefix}}_delayed is 'What waits.';

-- reverse
comment on table {{prefix}}_delayed is 'Messages of queue {{queue}} that are delayed or were tried before.';
)";

constexpr auto core_steps = R"(-- step: client_address
-- lock: access exclusive on {{schema}}.quern_client, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table {{schema}}.quern_client add column address text;

-- reverse
alter table {{schema}}.quern_client drop column address;
)";

constexpr auto core_helper = R"(create function {{schema}}.quern_aside()
returns integer
language sql
set search_path = pg_catalog, pg_temp
begin atomic
  select 1;
end;
revoke all on function {{schema}}.quern_aside() from public;
)";

/// What the first engine has and the second one has not.
render::template_set make_first() {
  edited_templates made;
  const std::string ring = "perform {{prefix}}_wake();";
  made.append(sql("queue/hints"), sequence_of("bell"));
  made.append(sql("queue/wake"), counting("bell") + doubling("integer"));
  made.replace(sql("queue/release"), ring, "perform {{prefix}}_bell();\n  " + ring);
  made.append(sql("queue/rights"),
              "revoke all on function {{prefix}}_bell, {{prefix}}_double, {{prefix}}_quadruple from public;\n"
              "{{#has_operators}}\ngrant select on sequence {{prefix}}_bell_count to {{operators}};\n"
              "grant select (attempt) on {{prefix}}_message to {{operators}};\n{{/has_operators}}\n");
  made.replace(sql("change/drop_queue"), "drop function",
               "drop function {{prefix}}_bell, {{prefix}}_quadruple, {{prefix}}_double;\n"
               "drop sequence {{prefix}}_bell_count;\ndrop function");
  made.append(sql("core/check_payload"), core_helper);
  return made.checked();
}

render::template_set make_second() {
  auto made = next_number();
  const std::string ring = "perform {{prefix}}_wake();";
  made.append(sql("queue/hints"), sequence_of("ring"));
  made.append(sql("queue/wake"), doubling("bigint") + counting("ring"));
  made.replace(sql("queue/release"), ring, "perform {{prefix}}_ring();\n  " + ring);
  made.replace(sql("version/pick"), "(p_count integer", "(p_count integer, out note text");
  made.replace(sql("queue/door_view"), "m.enqueued_at as created_at",
               "m.enqueued_at as created_at,\n  m.attempt as tries");
  made.append(sql("queue/rights"),
              "revoke all on function {{prefix}}_ring, {{prefix}}_double, {{prefix}}_quadruple from public;\n"
              "{{#has_operators}}\ngrant select on sequence {{prefix}}_ring_count to {{operators}};\n"
              "grant select (release_count) on {{prefix}}_message to {{operators}};\n{{/has_operators}}\n");
  made.replace(sql("change/drop_queue"), "drop function",
               "drop function {{prefix}}_ring, {{prefix}}_quadruple, {{prefix}}_double;\n"
               "drop sequence {{prefix}}_ring_count;\ndrop function");
  made.replace(sql("queue/message_table"), "  contract_version smallint not null,\n",
               "  contract_version smallint not null,\n  handled_count integer not null default 0,\n");
  made.append(sql("queue/delayed_table"),
              "create index {{queue}}_delayed_enqueued on {{prefix}}_delayed (enqueued_at);\n"
              "comment on table {{prefix}}_delayed is 'What waits.';\n");
  made.replace(sql("core/contract_table"), "  role_name text not null,\n",
               "  role_name text not null,\n  address text,\n");
  made.replace(sql("core/handshake"), "interval '1 minute'", "interval '2 minutes'");
  made.add(sql("engine/queue_2"), queue_steps);
  made.add(sql("engine/queue_2_after"), last_queue_steps);
  made.add(sql("engine/core_2"), core_steps);
  return made.checked();
}

}  // namespace

const render::template_set& first_engine() {
  static const auto made = make_first();
  return made;
}

const render::template_set& second_engine() {
  static const auto made = make_second();
  return made;
}

const render::template_set& renumbered_engine() {
  static const auto made = next_number().checked();
  return made;
}

render::template_set next_engine(const std::string& name, const std::string& part, const std::string& instead) {
  auto made = next_number();
  made.replace(name, part, instead);
  return made.checked();
}

}  // namespace test
