#include <array>

#include "check/codes.hpp"

namespace check {
namespace {

constexpr auto error = text::severity::error;

constexpr std::array codes{
    code{
        "unknown_type", "a type is not known", error,
        R"~(Types are bool int16 int32 int64 float32 float64 numeric(p,s) text bytes uuid date timestamp interval jsonb and the
declared enums, each also as T[] and T?.
  order_id = "bigint"          did you mean 'int64'?
Way out: take the name that the message suggests, or declare the enum.)~"},
    code{
        "invalid_type", "a type is not possible", error,
        R"~(The name is known, what stands around it is not: an array of arrays, a size in the type, arguments of another type
than numeric, numeric(2,5).
  recipient = "text(320)"      write { type = "text", max_length = 320 }
Way out: nested lists go into jsonb, lengths into max_length.)~"},
    code{"invalid_value", "a default or limit does not have the form of its type", error,
         R"~(  born = { type = "date", default = "31.12.2026" }      write "2026-12-31"
PostgreSQL would refuse it, or read something else from it.
Way out: write the value in the form that the message names.)~"},
    code{"misplaced_constraint", "a constraint is not possible for the type", error,
         R"~(min and max limit what has an order, max_length text, bytes and arrays, pattern text:
  paid = { type = "bool", min = 1 }
Way out: remove it, or choose the type that it belongs to.)~"},
    code{"empty_range", "a range holds nothing", error,
         R"~(The lower limit lies above the upper one, so that every message would be refused:
  quantity = { type = "int32", min = 10, max = 1 }
Way out: swap them.)~"},
    code{"violated_constraint", "a default violates the constraints of its own field", error,
         R"~(A message without the field would be refused by the database:
  quantity = { type = "int32", min = 1, default = 0 }
Way out: change the default or the constraint.)~"},
    code{"invalid_pattern", "a pattern cannot be used", error,
         R"~(Patterns are regular expressions of PostgreSQL. This one is none, or takes too long to match.
  pattern = "^[a-z+$"          the bracket is not closed
Way out: mend it. In TOML a pattern is best written in single quotes: '^[a-z]+$')~"},
    code{
        "unknown_field", "a field is named that the payload does not have", error,
        R"~('unique' says which fields of the payload make two messages the same, and 'where' which events a consumer of a stream
gets:
  unique = { fields = ["order_id"], while = "pending" }
  where  = "kind = 'signup'"
Way out: mend the name, or declare the field.)~"},
    code{
        "unfit_key", "a field cannot say whether messages are the same", error,
        R"~(Its values are compared in an index. Those of float32, float64, interval, jsonb and arrays can mean the same and be
different, or the other way round; a text, bytes or numeric without a limit may not fit into the index.
  order_no = { type = "text", max_length = 40 }
Way out: use a field of whole numbers, numeric(p,s), bool, uuid, date, timestamp, an enum, or of text or bytes with a
max_length.)~"},
    code{
        "invalid_storage", "a queue with a log cannot do what it says", error,
        R"~(storage = "log" hands messages out in the order in which they were committed and never looks for one of them: it knows no
priorities, no keys that make messages the same and no order by a key.
  [queues.email]
  storage    = "log"
  priorities = 3
Way out: take the other key away, or leave the messages in rows (storage = "rows", which is the default).)~"},
    code{"invalid_order", "a queue or consumer cannot be ordered as it says", error,
         R"~(Messages with the same value of a field are handled one at a time, in their order:
  ordered_by = "customer_id"
The field has to be one of the payload, of a type whose values are plainly equal or not: no array, float32, float64,
interval or jsonb. A message that ran out of attempts keeps the later ones of its key back, and so must be kept itself.
A stream is in one order; that of each key is kept by the workers of a consumer, where it is said of that:
  [streams.activity.consumers.crew]
  workers    = "cooperative"
  ordered_by = "customer_id"
Way out: name another field, or write on_failure = "skip"; say it of the consumer.)~"},
    code{
        "invalid_filter", "what a consumer asks for cannot be said of an event", error,
        R"~('where' says which events of a stream a consumer gets. It is a condition of SQL over the fields of the newest payload:
  where = "kind in ('signup', 'login') and detail->>'country' is distinct from 'DE'"
Allowed are fields, constants, comparisons, and, or, not, is null, is distinct from, in (a list), between, like, ~,
calculations with fields, ->, ->>, @>, ? of jsonb, = any (an array), coalesce, lower, upper, length and their like, and
casts to the types of a declaration. What looks at anything but the event, or gives something else another day, is not:
no subqueries, no other functions, no current time, no parameters.
Way out: ask for more events, and let the program look at the rest.)~"},
};

constexpr std::array files{
    code{"file_not_found", "there is no such file", error,
         R"~(Way out: run quern where quern.toml lies, or say where it is with --file.)~"},
    code{"is_directory", "a directory was given where a file is needed", error,
         R"~(Way out: name the file: --file shop/quern.toml)~"},
    code{"permission_denied", "a file may not be read", error,
         R"~(Way out: give yourself the right to read it, or run as the user who has it.)~"},
    code{"file_too_large", "a file is too large to be what it should be", error,
         R"~(A declaration has at most 16 MB, a hook at most 1 MB.
Way out: check the name of the file.)~"},
    code{"unreadable_file", "a file cannot be read", error,
         R"~(The operating system failed to read it; the message holds its words.
Way out: look at the disk, the mount and the kind of the file.)~"},
    code{"unclosed_section", "a section of a template is not closed", error,
         R"~(Way out: {{#fields}} needs its {{/fields}}.)~"},
    code{"unopened_section", "a section of a template is closed that was never opened", error,
         R"~(Way out: remove {{/fields}}, or open the section before it.)~"},
    code{"unclosed_tag", "a tag of a template is not closed", error, R"~(Way out: every {{ needs its }}.)~"},
    code{"unknown_tag", "a tag of a template is of a kind that quern does not use", error,
         R"~(Templates have values {{name}}, sections {{#name}}…{{/name}} and comments {{! … }}; nothing is escaped.
Way out: use one of these.)~"},
    code{"wrong_tag", "a text is used as a section, or a section as a text", error,
         R"~(Way out: {{name}} spells a text, {{#fields}} opens a section.)~"},
    code{"unknown_object", "a template places an object that there is none of", error,
         R"~(Way out: name an object that has a template of its own.)~"},
};

}  // namespace

std::span<const code> field_codes() {
  return codes;
}

std::span<const code> file_codes() {
  return files;
}

}  // namespace check
