#include <fmt/format.h>

#include <string_view>

#include "migrate/catalog_queries.hpp"

namespace migrate {
namespace {

// Everything here stands in a table `t`, or in a view.
constexpr std::string_view table_words =
    "case t.relkind when 'v' then 'view ' when 'm' then 'materialized view ' else 'table ' end || "
    "quote_ident(t.relname)";
constexpr std::string_view is_compared =
    "t.relnamespace = $1::bigint::oid and t.relname <> 'quern_migration' and not exists (select from pg_depend as e "
    "where e.classid = 'pg_class'::regclass and e.objid = t.oid and e.deptype = 'e')";
constexpr std::string_view owner = "quote_ident(pg_get_userbyid(t.relowner))";

// Constraints of tables. NOT NULL is a property of its column on every server; constraint triggers are triggers.
constexpr std::string_view constraints = R"(
select 'constraint', quote_ident(t.relname) || '.' || quote_ident(k.conname), {table}, {owner}, 0, p.property, p.value
from pg_constraint as k
join pg_class as t on t.oid = k.conrelid
cross join lateral (
  values
    ('definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')),
    ('validity', case when k.convalidated then 'valid' else 'not valid' end),
    ('enforcement', (
      select 'its triggers are disabled' from pg_trigger as g where g.tgconstraint = k.oid and g.tgenabled = 'D' limit 1
    )),
    ('comment', obj_description(k.oid, 'pg_constraint'))
) as p(property, value)
where k.contype in ('c', 'f', 'p', 'u', 'x') and {is_compared} and p.value is not null)";

constexpr std::string_view domain_constraints = R"(
select
  'constraint', quote_ident(t.typname) || '.' || quote_ident(k.conname), 'type ' || quote_ident(t.typname),
  quote_ident(pg_get_userbyid(t.typowner)), 0, p.property, p.value
from pg_constraint as k
join pg_type as t on t.oid = k.contypid
cross join lateral (
  values
    ('definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')),
    ('validity', case when k.convalidated then 'valid' else 'not valid' end),
    ('comment', obj_description(k.oid, 'pg_constraint'))
) as p(property, value)
where k.contype = 'c' and t.typnamespace = $1::bigint::oid and p.value is not null
  and not exists (
    select from pg_depend as e where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e'
  ))";

// The index of a constraint belongs to it.
constexpr std::string_view indexes = R"(
select
  'index', quote_ident(i.relname),
  coalesce('constraint ' || quote_ident(t.relname) || '.' || quote_ident(k.conname), {table}), {owner}, 0,
  p.property, p.value
from pg_index as x
join pg_class as i on i.oid = x.indexrelid
join pg_class as t on t.oid = x.indrelid
left join pg_constraint as k on k.conindid = i.oid and k.conrelid = t.oid and k.contype in ('p', 'u', 'x')
cross join lateral (
  values
    ('definition', pg_get_indexdef(i.oid)),
    ('validity', case when x.indisvalid and x.indisready and x.indislive then 'valid' else 'invalid' end),
    ('replica identity', case when x.indisreplident then 'yes' end),
    ('comment', obj_description(i.oid, 'pg_class'))
) as p(property, value)
where {is_compared} and p.value is not null)";

constexpr std::string_view triggers = R"(
select 'trigger', quote_ident(t.relname) || '.' || quote_ident(g.tgname), {table}, {owner}, 0, p.property, p.value
from pg_trigger as g
join pg_class as t on t.oid = g.tgrelid
cross join lateral (
  values
    ('definition', pg_get_triggerdef(g.oid)),
    ('state', case g.tgenabled when 'O' then 'enabled' when 'D' then 'disabled' when 'A' then 'always' else 'replica' end),
    ('comment', obj_description(g.oid, 'pg_trigger'))
) as p(property, value)
where not g.tgisinternal and {is_compared} and p.value is not null)";

constexpr std::string_view rules = R"(
select 'rule', quote_ident(t.relname) || '.' || quote_ident(r.rulename), {table}, {owner}, 0, p.property, p.value
from pg_rewrite as r
join pg_class as t on t.oid = r.ev_class
cross join lateral (
  values
    ('definition', pg_get_ruledef(r.oid)),
    ('state', case r.ev_enabled when 'O' then 'enabled' when 'D' then 'disabled' when 'A' then 'always' else 'replica' end),
    ('comment', obj_description(r.oid, 'pg_rewrite'))
) as p(property, value)
where r.rulename <> '_RETURN' and {is_compared} and p.value is not null)";

constexpr std::string_view policies = R"(
select 'policy', quote_ident(t.relname) || '.' || quote_ident(y.polname), {table}, {owner}, 0, p.property, p.value
from pg_policy as y
join pg_class as t on t.oid = y.polrelid
cross join lateral (
  values
    ('kind', case when y.polpermissive then 'permissive' else 'restrictive' end),
    ('command', case y.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end),
    ('roles', (
      select string_agg(case r.oid when 0 then 'public' else quote_ident(pg_get_userbyid(r.oid)) end, ', ' order by pg_get_userbyid(r.oid))
      from unnest(y.polroles) as r(oid)
    )),
    ('condition', pg_get_expr(y.polqual, y.polrelid)),
    ('check', pg_get_expr(y.polwithcheck, y.polrelid)),
    ('comment', obj_description(y.oid, 'pg_policy'))
) as p(property, value)
where {is_compared} and p.value is not null)";

}  // namespace

std::vector<std::string> table_part_queries() {
  std::vector<std::string> queries{std::string{domain_constraints}};
  for (const std::string_view query : {constraints, indexes, triggers, rules, policies})
    queries.push_back(fmt::format(fmt::runtime(query), fmt::arg("table", table_words), fmt::arg("owner", owner),
                                  fmt::arg("is_compared", is_compared)));
  return queries;
}

}  // namespace migrate
