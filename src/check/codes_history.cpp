#include <array>

#include "check/codes.hpp"

namespace check {
namespace {

constexpr auto error = text::severity::error;

constexpr std::array codes{
    code{
        "lock_not_canonical", "quern.lock is not written as quern writes it", error,
        R"~(The lock reads, but its bytes are not those that quern would write for it: it was edited or formatted by hand, or
written by another version. Two branches that agree would conflict.
Way out: `quern generate` writes it anew, or take it from version control again.)~"},
    code{"lock_outdated", "quern.lock is not what the declaration gives", error,
         R"~(The declaration has changed since `quern generate` ran, in a way that only the lock shows.
Way out: run `quern generate` and commit what it writes.)~"},
    code{
        "migration_edited", "a migration is not the one of the lock", error,
        R"~(A migration that was applied somewhere is history: databases that have it keep the old text, new ones would get the
new one, and the two differ for ever.
Way out: bring the file back from version control, and change the declaration, or write a hook for a new migration.)~"},
    code{"migration_missing", "a migration of the lock is missing", error,
         R"~(quern.lock names a file that is not there. A new database could not be built any more.
Way out: bring it back from version control.)~"},
    code{
        "migration_renamed", "a migration stands under another name or number", error,
        R"~(The text is that of a migration of the lock, the file's name is not. Databases know it under the name of the lock.
Way out: give the file its old name.)~"},
    code{
        "migration_unknown", "a migration is not in the lock", error,
        R"~(Only `quern generate` adds migrations, and it writes them into the lock. A file beside them is never applied.
Way out: after a merge, take the lock of the side that has it; SQL of your own goes into
migrations/<line>/hooks/NNNN_after.sql.)~"},
    code{"migration_malformed", "a migration does not have the form that is applied", error,
         R"~(A migration opens with `-- quern migration: line/NNNN_name`, and holds steps: `-- step: name`, then lock,
lock_timeout, statement_timeout and transaction, then SQL.
Way out: bring the file back from version control.)~"},
    code{
        "foreign_file", "a file has no business among the migrations", error,
        R"~(migrations/ holds quern.lock and migrations/<line>/NNNN_name.sql with hooks/ beside them. Anything else would be
taken for something that is applied, and is not.
Way out: move it to another directory.)~"},
    code{
        "not_generated", "migrations are missing that the declaration asks for", error,
        R"~(The declaration has changed since `quern generate` ran: without its migrations, programs and database do not fit.
Way out: run `quern generate` and commit what it writes.)~"},
    code{"generated_missing", "a generated file is missing", error,
         R"~(Way out: run `quern generate` and commit what it writes.)~"},
    code{"generated_differs", "a generated file is not what the declaration gives", error,
         R"~(It was edited, or the declaration, the templates or quern have changed since.
Way out: run `quern generate` and commit what it writes; what was written by hand is lost.)~"},
    code{"generated_left_over", "a generated file belongs to nothing any more", error,
         R"~(The queue or enum that it was made from is gone.
Way out: `quern generate` removes it.)~"},
    code{
        "history_removed", "the base has something that is missing here", error,
        R"~(What the branch is merged into has a line, contract or migration that this side has not: after the merge, databases
that have it would be ahead.
Way out: merge the base first (`git merge origin/main`), and never remove a released migration.)~"},
    code{
        "history_changed", "something that the base has was changed", error,
        R"~(A migration, contract or hook that is in the base is released: databases and programs may have it as it was.
Way out: bring it back (`git checkout origin/main -- migrations/email/0001_create.sql`), and make a new change behind
it.)~"},
    code{
        "history_diverged", "both sides have added to the same line", error,
        R"~(The base and this side have different migrations of the same number. Only one of them can come first, and whoever
merges last has to stand behind.
  base: email/0002_add_note.sql         here: email/0002_add_tag.sql
Way out: merge the base, then `quern rebase --onto origin/main`: what this side declares is made anew behind it.)~"},
};

}  // namespace

std::span<const code> history_codes() {
  return codes;
}

}  // namespace check
