#include <array>

#include "check/codes.hpp"

namespace check {
namespace {

constexpr auto error = text::severity::error;
constexpr auto warning = text::severity::warning;

constexpr std::array codes{
    code{"hook_syntax", "the SQL of a hook does not parse", error,
         R"~(PostgreSQL would refuse it in the middle of a migration. The parser is that of PostgreSQL 15.
Way out: mend the place. Commands of psql (\i, \set) are no SQL: a step is sent to the server as it is.)~"},
    code{"hook_encoding", "a hook is no text in UTF-8 without NUL", error,
         R"~(The place is the first byte that cannot be sent to the server.
Way out: store the file as UTF-8.)~"},
    code{"hook_too_large", "a hook is too large to be looked at", error,
         R"~(A hook has at most 1 MB, one statement of it 256 KB. What is larger is data, not a change of a schema.
Way out: load data with a program, in batches.)~"},
    code{"hook_name", "a file in hooks/ has another name than hooks have", error,
         R"~(A hook belongs to the migration of its number, in the directory beside it:
  migrations/email/0002_add_note.sql
  migrations/email/hooks/0002_before.sql
  migrations/email/hooks/0002_after.sql
Way out: rename it; under another name it is never applied.)~"},
    code{"hook_without_migration", "a hook belongs to no migration", error,
         R"~(There is no migration of its number in its line, so that it is never applied.
Way out: give it the number of the migration that it belongs to.)~"},
    code{"hook_malformed", "the steps of a hook do not have the form that is applied", error,
         R"~(A hook is plain SQL, one step in a transaction, or holds steps that say how each is run:
  -- step: index
  -- lock: SHARE UPDATE EXCLUSIVE on shop.customer
  -- lock_timeout: 0
  -- statement_timeout: 0
  -- transaction: no
  create index concurrently customer_name on shop.customer (name);
Way out: write the four keys behind each `-- step:`.)~"},
    code{"hook_quern_object", "a hook changes a table, column or type of quern", error,
         R"~(Quern's functions and the generated programs read and write these by name, type and number of columns.
  alter table shop.email_message rename column subject to title;
Way out: change the declaration; quern makes the migration, and keeps programs of the old contract working.)~"},
    code{
        "hook_quern_function", "a hook replaces, changes or drops a function of quern", error,
        R"~(Released functions never change: programs that are running depend on them, and the next migration that touches the
function would undo the change without a word.
  create or replace function shop.email_ack(…)
Way out: write a function of your own beside it that calls it.)~"},
    code{"hook_deletes_messages", "a hook empties a table of quern", error,
         R"~(Messages that nobody has handled would be gone, and the hints of the queue would be wrong.
  truncate shop.email_message;
Way out: let a consumer drain the queue, or call its purge function.)~"},
    code{
        "hook_rewrites_rows", "an update or delete without where", error,
        R"~(Every row is locked until the end of the step, and every row is written again: others wait, and the table doubles.
  update shop.customer set name = trim(name);
Way out: name the rows (`where name <> trim(name)`), and do many in batches, in a step with `-- transaction: no`:
  do $$ begin
    loop
      update … where id in (select id … limit 1000);
      exit when not found;
      commit;
    end loop;
  end $$;)~"},
    code{
        "hook_cascade", "cascade takes away what is not named", error,
        R"~(`drop … cascade` and `truncate … cascade` also take what depends on the object, in a database that nobody of you has
looked at: a view of another team, a foreign key.
Way out: name what is to go, one after another, without cascade.)~"},
    code{"hook_grant_public", "a right is granted to everyone", error,
         R"~(Every role of the database would have it, also those that are made later.
  grant select on shop.customer to public;
Way out: grant it to the role that needs it.)~"},
    code{
        "hook_search_path", "a security definer function without a search_path of its own", error,
        R"~(It runs with the rights of its owner, and finds tables and functions on the search_path of its caller: whoever can
create an object there runs code as the owner.
Way out: create function … security definer set search_path = '' …, with qualified names in its body.)~"},
    code{
        "hook_transaction_control", "a step ends its own transaction", error,
        R"~(A step and its row in the ledger are one transaction. With a `commit` inside of it, a kill leaves a step that is
done and not known as done.
Way out: leave begin and commit away; what has to be committed in between is a step of its own.)~"},
    code{"hook_not_in_transaction", "a statement that cannot run in a transaction", error,
         R"~(PostgreSQL refuses it there: vacuum, create database, alter system and others.
Way out: a step of its own with `-- transaction: no`, or leave it to whoever runs the server.)~"},
    code{"hook_concurrently_in_transaction", "concurrently inside of a transaction", error,
         R"~(`create index concurrently` waits for other transactions and cannot be part of one; PostgreSQL refuses it.
Way out: a step of its own:
  -- step: index
  -- lock: SHARE UPDATE EXCLUSIVE on shop.customer
  -- lock_timeout: 0
  -- statement_timeout: 0
  -- transaction: no
  create index concurrently customer_name on shop.customer (name);
  -- cleanup
  drop index concurrently if exists shop.customer_name;)~"},
    code{
        "hook_index_if_not_exists", "an index `if not exists` may be INVALID", error,
        R"~(A concurrent build that was killed leaves an INVALID index under its name. `if not exists` takes it for done: it
costs every write, and serves no query.
Way out: drop what a killed run left in the step's `-- cleanup`, and create it without `if not exists`.)~"},
    code{"hook_index_without_cleanup", "a concurrent index build without a cleanup", error,
         R"~(A build that was killed leaves an INVALID index, and the next try fails: "relation already exists".
Way out: behind the step's SQL:
  -- cleanup
  drop index concurrently if exists shop.customer_name;)~"},
    code{
        "hook_session_setting", "a setting stays behind in the session", error,
        R"~(The runner uses one session for many steps: `set` and `reset` would change how the following ones run, their
timeouts and search_path among it.
Way out: `set local`, which ends with the step; timeouts are keys of the step.)~"},
    code{
        "hook_set_local_useless", "set local outside of a transaction has no effect", error,
        R"~(In a step with `-- transaction: no` every statement is a transaction of its own, and `set local` ends with it.
Way out: move the setting into the step's keys, or into the function that needs it.)~"},
    code{"hook_copy_stdin", "a step has no standard input", error,
         R"~(`copy … from stdin` waits for data that a step cannot give.
Way out: insert … values, or load the data with a program.)~"},
    code{
        "hook_unqualified_name", "a name without its schema", error,
        R"~(The search_path of a step is empty, so that nobody can put another object in the way: only pg_catalog is found.
  create index customer_name on customer (name);         relation "customer" does not exist
Way out: write the schema: shop.customer.)~"},
    code{
        "hook_other_schema", "an object in another schema", warning,
        R"~(Quern creates, compares and grants in the schema of the project only. Whoever owns the other schema may change it at
any time, and drift in it is not seen.
Way out: leave it to the migrations of its owner, or accept it with a reason:
  -- quern:allow hook_other_schema the audit table belongs to us)~"},
    code{"hook_allow_without_reason", "an accepted finding without a reason", error,
         R"~(`-- quern:allow CODE reason` accepts a finding for whoever reads the file next year.
Way out: say why it is safe here:
  -- quern:allow hook_index_blocks the table has 20 rows)~"},
    code{
        "hook_allow_unused", "an accepted finding that is none", error,
        R"~(The statement behind the comment has no such finding, or the code is none that can be accepted. What is accepted for
nothing would hide the next one.
Way out: remove the comment, or move it to the line before its statement.)~"},
};

}  // namespace

std::span<const code> hook_codes() {
  return codes;
}

}  // namespace check
