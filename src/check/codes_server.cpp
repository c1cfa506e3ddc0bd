#include <array>

#include "check/codes.hpp"

namespace check {
namespace {

constexpr auto error = text::severity::error;

constexpr std::array codes{
    code{
        "server_install_fails", "the migrations do not apply to an empty database", error,
        R"~(All migrations were applied, in their order, to an empty database, and a step failed: a new installation is not
possible any more. Usually it is a hook that needs something which only your own database has.
Way out: let the hook make what it needs, or look first whether it is there.)~"},
    code{
        "server_lock_undeclared", "a step takes a stronger lock than it declares", error,
        R"~(Each step says in `-- lock:` what others will have to wait for. `none` and words that begin with `share update
exclusive` mean that readers and writers of the tables which were there before notice nothing; words that begin with
`access exclusive` allow everything. The locks are read just before the step commits. Only tables count: a view that is
replaced in place, and its triggers, are locked for an instant in which no row is read.
Way out: declare the lock with a short `-- lock_timeout:`, or find a form of the change that does not need it.)~"},
    code{"server_grant_missing", "a role lacks a right that its part needs", error,
         R"~(After all migrations, a role that the declaration names in `grants` may not do what producers, consumers or
operators of that queue have to do: its program fails with "permission denied".
Way out: bring the migrations up to date with `quern generate`; if a hook revokes the right, take that out.)~"},
    code{
        "server_grant_excess", "a role has a right that nobody declared", error,
        R"~(A role, or `public`, may do something with quern's objects that its part of the declaration does not give it: a
producer could read, or a consumer of one queue touch another.
  grant select on shop.email_message to web;
Way out: take the grant out of the hook, and declare the part that the role needs.)~"},
    code{
        "server_definition_fails", "a definition in generated/sql cannot be executed", error,
        R"~(The files below generated/sql are the present definition of each queue. Executed one after another in an empty schema,
one of them failed.
Way out: run `quern generate`; with templates of your own, look for the mistake in them.)~"},
    code{
        "server_differs_from_definition", "the migrations do not make what generated/sql says", error,
        R"~(What all migrations leave was compared, object by object, with what the definitions in generated/sql make. The order
of columns does not count, nor do tables, functions, indexes and other objects that hooks add beside quern's own.
Way out: do not change quern's tables and functions in hooks; change the declaration instead.)~"},
    code{
        "server_upgrade_fails", "a database in an earlier state cannot follow", error,
        R"~(Databases that are in use have a part of the migrations. From each such state (after each migration of each line, from
what is released, and from the base) all others were applied, and a step failed, although a new install succeeds: it
needs something that another line makes later.
Way out: let the step make what it needs, or move it behind that, into a later migration's hook.)~"},
    code{
        "server_upgrade_differs", "an upgrade does not give what a new install gives", error,
        R"~(Two databases with the same migrations differ, depending on when they got them. Programs that work on one fail on the
other.
Way out: look at the hook of that line: it must do the same whatever other lines have done before.)~"},
    code{
        "server_rollback_fails", "a migration cannot be taken back, or not be applied again", error,
        R"~(Each migration all of whose steps have a reverse was applied, taken back, and applied again. One of that failed: when
a release has to be taken back in a hurry, that would be the moment to find out.
Way out: mend the `-- reverse` of the hook; without one the migration counts as irreversible.)~"},
    code{
        "server_rollback_differs", "a rollback does not leave what was there before", error,
        R"~(The catalog after up and rollback was compared with that before, and the one after up, rollback, up with that after
the first up. A reverse forgets something, or takes away too much.
  add column note …                     reverse: drop the column note, not only its comment
Way out: mend the `-- reverse` of the hook.)~"},
    code{
        "server_kill_fails", "after a killed run nobody can go on", error,
        R"~(The runner was killed at each point of each step, once by ending the program and once by ending its sessions; the next
one could not go on. In a transaction that cannot happen: it is a step with `-- transaction: no` that is not prepared.
Way out: a `-- cleanup` that removes what a killed try has left (`drop index concurrently if exists …`), and where the
step cannot be done twice a `-- probe` that sees that it is done.)~"},
    code{
        "server_kill_differs", "after a killed run the result is another", error,
        R"~(The runner was killed, the next one went on, and the catalog is not that of an undisturbed run: something was done
twice, or was taken for done.
Way out: in steps with `-- transaction: no`, never `if not exists` (an INVALID index exists), but `-- cleanup`.)~"},
    code{
        "server_runners_collide", "two runners at once do not get through", error,
        R"~(Two runners were started at the same time on an empty database, beside a `create index concurrently` of somebody
else. One of them failed, the build failed, a step was applied twice or never, or the result is another.
Way out: look at the hook: a step that waits for other sessions must not hold a snapshot meanwhile.)~"},
    code{
        "server_contract_call_fails", "a program's call fails during a roll-out", error,
        R"~(At each phase of a roll-out, producers of each live contract send typical, minimal and extreme payloads, and consumers
of each live contract claim and finish them. One of the calls failed.
Way out: take out of the hook what makes a released function fail: a constraint that is too tight, a dropped column.)~"},
    code{
        "server_contract_misread", "a consumer reads something else than was written", error,
        R"~(A message of one live contract was claimed by a consumer of a live contract, and a field that has to be there is
missing, is beyond its limits, or is not what the producer wrote.
Way out: take out of the hook what replaces quern's functions or changes the columns.)~"},
    code{
        "server_contract_lost", "a message is handed out to nobody", error,
        R"~(A consumer may leave a message alone that it cannot read, but the contract that wrote it must still get it. Here
nobody does.
Way out: take out of the hook what replaces quern's functions or deletes messages.)~"},
    code{"server_contract_twice", "a message is handed out twice", error,
         R"~(A message that a consumer has claimed and finished came back to another one.
Way out: take out of the hook what replaces quern's functions or writes into its tables.)~"},
};

}  // namespace

std::span<const code> server_codes() {
  return codes;
}

}  // namespace check
