#include <array>

#include "check/codes.hpp"

namespace check {
namespace {

constexpr auto error = text::severity::error;

constexpr std::array codes{
    code{
        "lock_malformed", "quern.lock is not what quern writes", error,
        R"~(migrations/quern.lock is history: quern writes it, and every command depends on it. Something in it is no JSON, has
an unknown, missing or doubled key, or numbers with gaps.
Way out: take it from version control again; never mend it by hand.)~"},
    code{
        "lock_conflict", "quern.lock holds a merge conflict", error,
        R"~(Two branches changed the same queue. Their migrations have the same numbers, and only one of them can come first.
  <<<<<<< HEAD
Way out: merge quern.toml, then `quern rebase --onto origin/main`: the migrations of that branch stay as they are, and the
drafts of this one are made anew behind them.)~"},
    code{"lock_format", "quern.lock has another format", error,
         R"~(A newer version of quern wrote the lock, or something else did.
Way out: use the version of quern that the rest of the team uses, or a newer one.)~"},
    code{
        "lock_fingerprint", "a contract in quern.lock was edited", error,
        R"~(Each contract stands beside a fingerprint of itself; they do not fit each other. Programs that are running compare
the same fingerprint when they start.
Way out: take the lock from version control again, and change the payload in quern.toml.)~"},
    code{"name_changed", "the project has another name than its history", error,
         R"~(Way out: keep the name; a new project begins in another directory.)~"},
    code{"schema_changed", "the project has another schema than its history", error,
         R"~(Its migrations created everything in the old one.
Way out: keep the schema; a new project begins in another directory.)~"},
    code{
        "field_needs_default", "a new field is missing in the messages of older programs", error,
        R"~(Programs of the released contract go on to enqueue messages without the field, and programs of the new one read
them.
  weight = "float64"                                   refused
  weight = { type = "float64", default = 1.0 }         what older messages have
  weight = "float64?"                                  older messages have none
Way out: make it optional, give it a default, accept the break (accept_break in the queue), or declare a new queue.)~"},
    code{"field_type_changed", "a field's values do not convert to its new type", error,
         R"~(Integers, floats and numerics may get wider, and arrays of them: int16, int32, int64; float32, float64;
numeric(10,2), numeric(12,2). Every other change of a type loses values one way or the other.
  order_id = "text"            was int64
Way out: keep the type and add a new field beside it, accept the break (accept_break in the queue), or declare a new
queue.)~"},
    code{"required_needs_default", "an optional field became required without a default", error,
         R"~(Messages of the released contract may lack the field; programs of the new one must read something.
  note = { type = "text", default = "-" }
Way out: give it a default, accept the break (accept_break in the queue), or declare a new queue.)~"},
    code{
        "removal_needs_default", "a field is gone that older programs must read", error,
        R"~(Programs of the released contract read the field from every message, also from new ones. Say what they read:
  [queues.email.removed]
  subject = { type = "text", default = "(none)" }
Way out: move the field's line there and give it a default; if it only has another name now, write renamed_from at the
new one; or accept the break (accept_break in the queue).)~"},
    code{
        "storage_changed", "a released queue is declared with another storage", error,
        R"~(storage = "rows" and "log" are different tables. Nothing takes messages from one to the other while programs go on
to enqueue and claim.
Way out: keep the storage, or declare a new queue and let this one drain. Where there is no need to keep it, drop the queue
([removed_queues.email]) and declare it anew in a later release.)~"},
    code{"removed_type", "a removed field had another type", error,
         R"~(What stands in [queues.NAME.removed] is the line as it stood in the payload, with a default.
Way out: write the type that it had.)~"},
    code{
        "removed_value", "a removed field's default is a value that older programs do not know", error,
        R"~(Programs of the older contract read the default of a removed field. Where it is a value of an enum that came
later, they cannot read it.
  removed = { channel = { type = "channel", default = "push" } }        v1 knows email and sms
Way out: choose a value that they know.)~"},
    code{"removed_unknown", "a field is said to be removed that there never was", error,
         R"~(Way out: take it out of [queues.NAME.removed], or correct its name.)~"},
    code{"rename_unknown", "renamed_from names a field that the released contract does not have", error,
         R"~(A rename is declared at the new name, with the old one:
  client_id = { type = "int64", renamed_from = "customer_id" }
Way out: correct the old name, or take renamed_from away when the field is new.)~"},
    code{"rename_ambiguous", "a rename that can be meant in two ways", error,
         R"~(The released contract has both names, or two fields claim the same former name.
Way out: take renamed_from away from one of them, or use another name.)~"},
    code{"break_needless", "accept_break has nothing to accept", error,
         R"~(accept_break names the version of the contract that breaks, so that it accepts nothing else later:
  accept_break = { version = 2, reason = "the field was never read", until = "2027-01-31" }
Way out: take it away, or correct its version.)~"},
    code{
        "break_expired", "an accepted break has outlived its day", text::severity::warning,
        R"~(`until` of accept_break is the day by which the contracts that it breaks with should be gone. It is over (by the
clock of UTC), and one of them is live: messages of one side still wait for programs of its own.
  accept_break = { version = 2, reason = "the field was never read", until = "2027-01-31" }
Nothing refuses the migration or a call for that reason; generation does not know what day it is.
Way out: `quern retire email 1` when nobody speaks the older contract any more; or put the day off in accept_break, which
changes no contract.)~"},
    code{
        "enumeration_changed", "values of an enumeration have changed other than at their end", error,
        R"~(Messages that are stored, and programs that are running, use the released values, and PostgreSQL can add values
but not take one away.
Way out: keep them in this order and add new ones at the end; or declare a new enumeration, and a new field of it.)~"},
    code{"kind_changed", "a queue was declared as a stream, or a stream as a queue", error,
         R"~(Programs use it as what it was, and what is stored cannot be taken over.
Way out: declare the new one under another name, and drop the old one when nobody uses it any more.)~"},
    code{
        "order_beside_priorities", "a queue with priorities cannot be ordered", error,
        R"~(Contracts that are live have priorities: which of two messages goes first, the one of the higher priority or the
one that came earlier, is not built.
Way out: leave `ordered_by` away, or retire those contracts first, or declare a new queue and let this one drain.)~"},
    code{"order_ambiguous", "the key of an ordered queue stands in two columns", error,
         R"~(A field that gets another type gets another column, while messages of the contract before keep the old one.
Which of two messages of a key is the earlier, and whether one of them is being handled, could not be said any more.
Way out: keep the type until the older contract is retired, leave `ordered_by` away until then, or declare a new queue
and let this one drain.)~"},
    code{"queue_removed", "a released queue is not declared any more", error,
         R"~(Its tables may hold messages that nobody would ever handle, and programs may use it.
  [removed_queues.email]                 dropped when it is empty, and nobody used it within its sunset
  [removed_queues.email]
  messages = "discard"                   dropped with the messages that it holds
Way out: declare it again as it was, or say how it is dropped.)~"},
    code{"queue_rename_unknown", "renamed_from names a queue or stream that was never released", error,
         R"~(A rename is declared at the new name, with the one that the released queue or stream has now:
  [queues.mail]
  renamed_from = "email"
Programs go on to use the old name until its contracts are retired. What is not released yet can have any name.
Way out: correct the old name, or take renamed_from away.)~"},
    code{"queue_rename_ambiguous", "a rename of a queue or stream that can be meant in two ways", error,
         R"~(Both names are released, the old one is declared or removed too, or two claim it.
Way out: take renamed_from away from one of them, or take what bears the old name out of the declaration.)~"},
    code{
        "queue_name_taken", "the name was that of another queue or stream", error,
        R"~(A name belongs to one queue or stream for ever: its migrations are history and are played, under that name, on every new
database. That holds for one that has another name by now, whose tables and old programs keep it, and for one that
was dropped.
Way out: choose a name that was never used; to give something its own former name back, write renamed_from.)~"},
    code{"removed_queue_unknown", "a queue is said to be removed that was never released", error,
         R"~(Way out: take it out of [removed_queues], or correct its name.)~"},
    code{
        "engine_newer", "the lock is of a newer engine than this quern", error,
        R"~(What quern's templates make in a database is an engine, and engines are numbered; the lock says which one the
objects of each line are of. An older quern would take away what the newer one has made, so it writes nothing.
Way out: use the version of quern that has generated the lock, or a newer one; where your own templates
(--templates) have another engine.txt, use those.)~"},
    code{
        "engine_history", "a released migration is not there, and another engine needs it", error,
        R"~(To bring released queues to a newer engine, quern reads from their migrations what databases have, so that it
changes no more than it must, and says how to go back.
Way out: take the migration from version control again.)~"},
    code{
        "engine_unsafe", "templates change what programs hold on to", error,
        R"~(Another engine may replace the bodies of released functions. Their parameters and results stay as they are: programs
call them, and queues call what they share. This can only come from templates of your own (--templates).
Way out: give the function its old form again, and let a new one under another name have the new form.)~"},
    code{
        "engine_log", "engine.txt is not a list of engines", error,
        R"~(A line an engine, from 1 on without gaps: its number, a space, and what it changed. The steps in sql/engine are for
engines that stand there.
  1 What the first databases have.
  2 Claims take the oldest message first.
Way out: begin with the engine.txt of quern's own templates, and put your lines behind it.)~"},
};

}  // namespace

std::span<const code> contract_codes() {
  return codes;
}

}  // namespace check
