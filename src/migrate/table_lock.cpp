#include "migrate/table_lock.hpp"

#include <cstdint>

namespace migrate {

std::vector<table_lock> locks_of(quern::connection& db, int pid) {
  constexpr std::string_view query = R"(select n.nspname || '.' || c.relname as relation, l.mode
from pg_locks l
join pg_class c on c.oid = l.relation
join pg_namespace n on n.oid = c.relnamespace
where l.pid = $1 and l.locktype = 'relation' and l.granted
  and l.database = (select oid from pg_database where datname = current_database())
  and c.relkind in ('r', 'p', 'm', 'v', 'f', 'S')
  and l.mode in ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
order by relation, l.mode)";
  std::vector<table_lock> locks;
  for (const quern::row row : db.execute(query, static_cast<std::int32_t>(pid)))
    locks.push_back({row.get<std::string>(0), row.get<std::string>(1)});
  return locks;
}

}  // namespace migrate
