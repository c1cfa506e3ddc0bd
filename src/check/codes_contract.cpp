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
Way out: take the lock and the migrations of one side (`git checkout --theirs migrations`), then generate again: the
migrations of the other side are made anew behind them.)~"},
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
        "contract_changed", "a payload has changed in a way that programs cannot follow", error,
        R"~(Programs that are running speak the released contract. What the message names would break them, and there is no
migration that avoids it.
  [queues.email.payload]
  order_id = "text"            was int64: readers of v1 cannot read it
Way out: make a compatible form of the edit (an optional field, a wider type, a field beside the old one), or declare a
new queue, let the old one drain and remove it then.)~"},
    code{"option_changed", "an option of a queue has changed and cannot", error,
         R"~(The option is part of a released migration, and there is no migration that changes it.
Way out: take the change back, or declare a new queue under another name.)~"},
    code{"enumeration_changed", "the values or the doc of an enumeration have changed and cannot", error,
         R"~(Messages that are stored, and programs that are running, use the released values.
Way out: keep them; a new enumeration under another name may have others.)~"},
    code{"enumeration_removed", "a released enumeration is not declared any more", error,
         R"~(Way out: declare it again as it was.)~"},
    code{"queue_removed", "a released queue is not declared any more", error,
         R"~(Its tables may hold messages that nobody would ever handle.
Way out: declare it again as it was.)~"},
};

}  // namespace

std::span<const code> contract_codes() {
  return codes;
}

}  // namespace check
