#include <fmt/format.h>

#include <string_view>

#include "migrate/catalog_queries.hpp"

namespace migrate {
namespace {

// Rows (property, value) of the rights on an object `alias` whose catalog calls its columns `prefix`acl and
// `prefix`owner.
std::string grants(std::string_view alias, std::string_view prefix, char kind) {
  return fmt::format(R"(select
      'grant ' || lower(a.privilege_type) || ' to ' || case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
      case when bool_or(a.is_grantable) then 'with grant option' else 'yes' end
    from aclexplode(coalesce({0}.{1}acl, acldefault('{2}', {0}.{1}owner))) as a
    where a.grantee <> {0}.{1}owner
    group by 1)",
                     alias, prefix, kind);
}

std::string is_of_no_extension(std::string_view alias, std::string_view catalog) {
  return fmt::format(
      "not exists (select from pg_depend as e where e.classid = '{1}'::regclass and e.objid = {0}.oid and e.deptype = "
      "'e')",
      alias, catalog);
}

constexpr std::string_view schemas = R"(
select 'schema', quote_ident(n.nspname), null::text, quote_ident(pg_get_userbyid(n.nspowner)), 0, p.property, p.value
from pg_namespace as n
cross join lateral (
  values
    ('name', n.nspname::text),
    ('comment', obj_description(n.oid, 'pg_namespace'))
  union all
  {grants}
) as p(property, value)
where n.oid = $1::bigint::oid and p.value is not null)";

// One row a function; which of its settings and texts differs is worth more than that its definition does.
constexpr std::string_view functions = R"(
select
  'function', quote_ident(f.proname) || '(' || s.types || ')', null::text, quote_ident(pg_get_userbyid(f.proowner)), 0,
  p.property, p.value
from pg_proc as f
join pg_language as l on l.oid = f.prolang
left join pg_aggregate as g on g.aggfnoid = f.oid
cross join lateral (
  select coalesce(string_agg(format_type(t.oid, null), ', ' order by t.place), '')
  from unnest(f.proargtypes) with ordinality as t(oid, place)
) as s(types)
cross join lateral (
  values
    ('kind', case f.prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w' then 'window function' else 'function' end),
    ('language', l.lanname::text),
    ('arguments', pg_get_function_arguments(f.oid)),
    ('result', pg_get_function_result(f.oid)),
    ('volatility', case f.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end),
    ('security', case when f.prosecdef then 'definer' else 'invoker' end),
    ('behaviour on null input', case when f.proisstrict then 'returns null' else 'called' end),
    ('leakproofness', case when f.proleakproof then 'leakproof' end),
    ('parallel safety', case f.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end),
    ('cost', f.procost::text),
    ('rows', case when f.proretset then f.prorows::text end),
    ('support function', nullif(f.prosupport, 0)::regproc::text),
    ('library', f.probin),
    ('body', coalesce(pg_get_function_sqlbody(f.oid), replace(f.prosrc, E'\r\n', E'\n'))),
    ('aggregation', case when g.aggfnoid is not null then
      concat_ws(' ', g.aggtransfn::regproc, format_type(g.aggtranstype, null), nullif(g.aggfinalfn, 0)::regproc,
        nullif(g.aggcombinefn, 0)::regproc, g.aggkind::text, g.agginitval)
    end),
    ('comment', obj_description(f.oid, 'pg_proc'))
  union all
  select 'setting ' || split_part(o.text, '=', 1), substr(o.text, strpos(o.text, '=') + 1) from unnest(f.proconfig) as o(text)
  union all
  {grants}
) as p(property, value)
where f.pronamespace = $1::bigint::oid and {is_of_no_extension} and p.value is not null)";

// Not the types that come with a table, nor those that come with a type: arrays and multiranges.
constexpr std::string_view types = R"(
select 'type', quote_ident(t.typname), null::text, quote_ident(pg_get_userbyid(t.typowner)), 0, p.property, p.value
from pg_type as t
left join pg_class as c on c.oid = t.typrelid
left join pg_range as r on r.rngtypid = t.oid
cross join lateral (
  values
    ('kind', case t.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite' when 'r' then 'range' else 'base type' end),
    ('list of labels', (
      select string_agg(quote_literal(v.enumlabel), ', ' order by v.enumsortorder) from pg_enum as v where v.enumtypid = t.oid
    )),
    ('base type', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end),
    ('nullability', case when t.typtype = 'd' then case when t.typnotnull then 'not null' else 'nullable' end end),
    ('default', case when t.typtype = 'd' then t.typdefault end),
    ('collation', case when t.typtype = 'd' and t.typcollation <> 0 then t.typcollation::regcollation::text end),
    ('subtype', case when r.rngtypid is not null then format_type(r.rngsubtype, null) end),
    ('comment', obj_description(t.oid, 'pg_type'))
  union all
  {grants}
) as p(property, value)
where t.typnamespace = $1::bigint::oid and t.typtype not in ('m', 'p') and (c.oid is null or c.relkind = 'c')
  and not exists (select from pg_type as i where i.typarray = t.oid)
  and {is_of_no_extension} and p.value is not null)";

// Whatever else can stand in a schema: operators, collations, statistics, text search …
constexpr std::string_view rest = R"(
select i.type, i.identity, null::text, '', 0, p.property, p.value
from (
  select distinct d.classid, d.objid
  from pg_depend as d
  where d.refclassid = 'pg_namespace'::regclass and d.refobjid = $1::bigint::oid and d.deptype = 'n'
    and d.classid not in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_extension'::regclass)
) as o
cross join lateral pg_identify_object(o.classid, o.objid, 0) as i
cross join lateral (
  values
    ('presence', 'yes'),
    ('definition', case when o.classid = 'pg_statistic_ext'::regclass then pg_get_statisticsobjdef(o.objid) end),
    ('comment', obj_description(o.objid, o.classid::regclass::name))
) as p(property, value)
where p.value is not null and i.identity is not null
  and not exists (select from pg_depend as e where e.classid = o.classid and e.objid = o.objid and e.deptype = 'e'))";

}  // namespace

std::vector<std::string> other_queries() {
  using fmt::arg;
  return {fmt::format(fmt::runtime(schemas), arg("grants", grants("n", "nsp", 'n'))),
          fmt::format(fmt::runtime(functions), arg("grants", grants("f", "pro", 'f')),
                      arg("is_of_no_extension", is_of_no_extension("f", "pg_proc"))),
          fmt::format(fmt::runtime(types), arg("grants", grants("t", "typ", 'T')),
                      arg("is_of_no_extension", is_of_no_extension("t", "pg_type"))),
          std::string{rest}};
}

}  // namespace migrate
