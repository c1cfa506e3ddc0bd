#include "recipes/kill_points.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>

namespace test {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t gate = 20'260'601;

// Sequences are not transactional: what a session that dies has counted stays.
constexpr std::string_view installation = R"(
drop event trigger if exists kill_statement;
drop schema if exists kill cascade;
create schema kill;
create sequence kill.definitions minvalue 0;
create sequence kill.arrivals minvalue 0;
do $$ begin perform nextval('kill.definitions'), nextval('kill.arrivals'); end $$;

create function kill.reach(p_point text)
returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  if current_setting('kill.die_at', true) = p_point then
    perform pg_terminate_backend(pg_backend_pid());
    perform pg_sleep(60);
  elsif current_setting('kill.wait_at', true) = p_point then
    perform nextval('kill.arrivals');
    while not pg_try_advisory_xact_lock_shared({gate}) loop
      perform pg_sleep(0.001);
    end loop;
  end if;
end
$$;

create function kill.reach_row()
returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
  -- A runner forgets that a step was begun when it begins it again; to take one back ends with its row.
  v_begins constant boolean := case
    when tg_op = 'DELETE' then current_setting('application_name') = 'quern migrate'
    else not new.is_finished
  end;
begin
  perform kill.reach(case when v_begins then 'begin_' else 'end_' end || tg_argv[0]);
  return case when tg_op = 'DELETE' then old else new end;
end
$$;

create function kill.reach_statement()
returns event_trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  perform nextval('kill.definitions');
  perform kill.reach('statement');
end
$$;

create trigger kill_row before insert or update or delete on shop.quern_migration
for each row execute function kill.reach_row('row');
create constraint trigger kill_commit after insert or update or delete on shop.quern_migration
deferrable initially deferred for each row execute function kill.reach_row('commit');
create event trigger kill_statement on ddl_command_end execute function kill.reach_statement();
)";

// The very same rows of the catalog. What a user defines has a number from 16384 on.
constexpr std::string_view rows_of_catalog = R"(
select coalesce(sum(hashtextextended(format('%s %s %s', r.tableoid, r.ctid, r.xmin), 0))::numeric % 1000000007, 0)::bigint
from (
  select tableoid, ctid, xmin from pg_class where oid >= 16384
  union all select tableoid, ctid, xmin from pg_attribute where attrelid >= 16384
  union all select tableoid, ctid, xmin from pg_attrdef
  union all select tableoid, ctid, xmin from pg_constraint where oid >= 16384
  union all select tableoid, ctid, xmin from pg_index where indexrelid >= 16384
  union all select tableoid, ctid, xmin from pg_proc where oid >= 16384
  union all select tableoid, ctid, xmin from pg_type where oid >= 16384
  union all select tableoid, ctid, xmin from pg_description where objoid >= 16384
) as r
)";

constexpr std::string_view is_runner =
    "datname = current_database() and application_name in ('quern migrate', 'quern rollback')";

std::string_view name_of(server_point at) {
  switch (at) {
    case server_point::begin_row:
      return "begin_row";
    case server_point::begin_commit:
      return "begin_commit";
    case server_point::statement:
      return "statement";
    case server_point::end_row:
      return "end_row";
    case server_point::end_commit:
      return "end_commit";
  }
  return "";
}

}  // namespace

std::string_view spell(server_point at) {
  switch (at) {
    case server_point::begin_row:
      return "before the row that says that it was begun";
    case server_point::begin_commit:
      return "before the commit of the row that says that it was begun";
    case server_point::statement:
      return "after its first definition";
    case server_point::end_row:
      return "after its SQL, before its trace in the ledger";
    case server_point::end_commit:
      return "before the commit of its trace in the ledger";
  }
  return "";
}

kill_points::kill_points(const database& of) : url_{of.url()}, watcher_{url_} {
  watcher_.run_script(fmt::format(fmt::runtime(installation), fmt::arg("gate", gate)));
}

std::string kill_points::dying_at(server_point at) const {
  return with_setting(url_, "kill.die_at", name_of(at));
}

std::string kill_points::held_up_at(server_point at) const {
  return with_setting(url_, "kill.wait_at", name_of(at));
}

void kill_points::close_gate() {
  watcher_.execute("select pg_advisory_lock($1)", gate);
  arrived_ = watcher_.execute("select last_value from kill.arrivals").value<std::int64_t>();
}

void kill_points::open_gate() {
  watcher_.execute("select pg_advisory_unlock($1)", gate);
}

bool kill_points::wait_for_arrival(const std::function<bool()>& is_over) {
  return wait_for(fmt::format("select last_value > {} from kill.arrivals", arrived_), is_over);
}

bool kill_points::wait_for_waiting(const std::function<bool()>& is_over) {
  return wait_for(fmt::format("select count(*) > 0 from pg_stat_activity where {} and state = 'active' and "
                              "wait_event in ('PgSleep', 'virtualxid')",
                              is_runner),
                  is_over);
}

void kill_points::end_runners() {
  watcher_.execute(fmt::format("select count(pg_terminate_backend(pid)) from pg_stat_activity where {}", is_runner));
}

void kill_points::wait_until_runners_are_gone() {
  wait_for(fmt::format("select count(*) = 0 from pg_stat_activity where {}", is_runner), [] { return false; });
}

std::int64_t kill_points::fingerprint() {
  return watcher_.execute(std::string{rows_of_catalog}).value<std::int64_t>();
}

std::int64_t kill_points::definitions() {
  return watcher_.execute("select last_value from kill.definitions").value<std::int64_t>();
}

bool kill_points::wait_for(const std::string& query, const std::function<bool()>& is_over) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!watcher_.execute(query).value<bool>()) {
    if (is_over()) return false;
    if (std::chrono::steady_clock::now() >= end)
      throw std::runtime_error{fmt::format("did not come true within 30 s: {}", query)};
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

}  // namespace test
