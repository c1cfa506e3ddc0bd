#include <array>

#include "check/codes.hpp"

namespace check {
namespace {

constexpr auto error = text::severity::error;

constexpr std::array codes{
    code{"invalid_utf8", "a byte is not UTF-8", error,
         R"~(TOML is written in UTF-8. The place is the first byte that is none, such as 0xe9, an "é" of Latin-1.
Way out: store the file as UTF-8, for example with `iconv -f latin1 -t utf-8`.)~"},
    code{"invalid_toml", "the text is no TOML", error,
         R"~(The declaration does not follow the grammar of TOML; what stands at the place could not be read:
  lease = 30s          a duration is a text: lease = "30s"
  payload = [          an array that never ends
Way out: mend the place. Each mistake is reported; after it, reading goes on with the next statement.)~"},
    code{"too_deep", "values nest too deep", error,
         R"~(Tables and arrays stand in each other deeper than any declaration needs.
Way out: a declaration has three levels, as in [queues.email.payload].)~"},
    code{"too_large", "the declaration is too large", error,
         R"~(A declaration of more than 16 MB is a mistake: some other file was given with --file.
Way out: check the name of the file.)~"},
    code{"duplicate_key", "a key or table stands twice", error,
         R"~(TOML gives each key one value. The note shows the first place:
  lease = "30s"
  lease = "1m"
Way out: remove one of the two; two tables [queues.email] become one.)~"},
    code{"empty_declaration", "the declaration is empty", error,
         R"~(The file holds nothing but blanks and comments.
Way out: begin with
  [project]
  name = "shop"
  [queues.email.payload]
  order_id = "int64")~"},
    code{"nothing_declared", "the project declares no queue and no enum", error,
         R"~(A project without queues would generate nothing that a program could use.
Way out: add a queue:
  [queues.email.payload]
  order_id = "int64")~"},
    code{
        "missing_key", "a key that is needed is missing", error,
        R"~(A table lacks a key without which it means nothing: [project] needs `name`, a queue `payload`, an enum `values`,
a field that is written as a table `type`.
Way out: add it; the message says where.)~"},
    code{"unknown_key", "a key is not known", error,
         R"~(Unknown keys are refused rather than ignored, because most are misspelled:
  [queues.email]
  laese = "30s"        did you mean 'lease'?
Way out: mend the name. `quern schema` prints all keys, so that an editor completes them.)~"},
    code{
        "not_built_yet", "a key or value is planned, but not built yet", error,
        R"~(The design knows the key, this version of quern does not bring it about. It is refused, because ignoring it would
promise what does not hold.
Way out: leave it away until a version that has it.)~"},
    code{"useless_key", "a key has no effect", error,
         R"~(The key contradicts another one that makes it meaningless:
  retry = { backoff = "constant", initial = "10s", max = "20s" }      a constant backoff does not grow
Way out: remove one of the two.)~"},
    code{"wrong_type", "a value has the wrong type", error,
         R"~(The key wants another kind of value, such as a text, a whole number or a table:
  lease = 30           must be a duration such as "30s"
Way out: write the value as the message says.)~"},
    code{
        "out_of_range", "a value is out of range", error,
        R"~(The value has the right form and lies outside of what is possible or sensible; the message names the limits:
  lease = "30d"        must be a duration from 1s to 7d
Way out: choose a value within them.)~"},
    code{
        "unknown_value", "a value is none of the possible ones", error,
        R"~(The key, or the default of a field of an enum type, has a few values of which this is none; in a template the tag
names a value that its view does not have.
  backoff = "expnential"       did you mean "exponential"?
Way out: choose one of those that the message lists.)~"},
    code{"nul_character", "a text holds a NUL character", error,
         R"~(PostgreSQL cannot store the character U+0000 in a text.
Way out: remove "\u0000" from it.)~"},
    code{"invalid_duration", "a text is no duration", error,
         R"~(A duration is whole numbers with the units w, d, h, m, s, ms, us, the largest first, each once:
  "30s"  "1h30m"  "7d"         not "1.5m", "30", "30 sec", "-1s"
Way out: write "90s" for "1.5m".)~"},
    code{
        "invalid_name", "a name is not snake_case", error,
        R"~(One name is used in TOML, SQL and C++ without being converted: lower-case letters, digits and single underscores,
a letter first, no underscore last.
  [queues.OrderMail]           write order_mail
Way out: take the name that the message suggests.)~"},
    code{"reserved_name", "a name is taken", error,
         R"~(The name is a keyword of C++, or one that quern, PostgreSQL or the C library needs for something else:
  [queues.email.payload]
  class = "text"
Way out: choose another one, such as mail_class.)~"},
    code{"name_too_long", "a name, or one made from it, has more than 63 bytes", error,
         R"~(PostgreSQL cuts identifiers behind 63 bytes, so that two long names could become one. Tables, functions and
constraints are named after queue and field, which makes these names longer.
Way out: shorten the name of the queue, field or schema by as many bytes as the message says.)~"},
    code{
        "name_collision", "two declared things need the same name", error,
        R"~(Names are made from other names: the queue `email` makes a table `email_dead`, which an enum or another queue of
that name would need too. The note shows the other place.
Way out: rename one of the two.)~"},
    code{"duplicate_value", "an enum has a value twice", error,
         R"~(  [enums.channel]
  values = ["email", "sms", "email"]
Way out: remove one of them.)~"},
    code{"no_values", "an enum has no values", error,
         R"~(A field of its type could hold nothing.
Way out: values = ["email", "sms"])~"},
    code{"no_fields", "a payload has no fields", error,
         R"~(A message would carry nothing.
Way out: write at least one field, such as order_id = "int64"; payload = "jsonb" takes any JSON.)~"},
    code{"too_many_fields", "a payload has too many fields", error,
         R"~(A function of PostgreSQL has at most 100 parameters, and each field is one of them.
Way out: keep what belongs together in one field of type jsonb.)~"},
    code{
        "invalid_role", "a role in a grant is not possible", error,
        R"~(Roles are named as in PostgreSQL, at most 63 bytes, without `public`, pg_… and the other reserved names: the right
to work with a queue goes to someone, never to everyone.
  grants = { produce = ["web"], consume = ["mailer"] }
Way out: name the role that the program logs in with, or a group of such roles.)~"},
    code{"invalid_cron", "a cron line cannot be read", error,
         R"~(Five fields say when a schedule fires: minute, hour, day, month and weekday, by the clock of its zone.
  cron = "30 9 * * mon-fri"     at half past nine on working days
  cron = "*/15 8-17 1,15 * *"   lists, ranges and steps
  cron = "@daily"               also @hourly, @weekly, @monthly, @yearly
Way out: mend what the caret points at; there are no seconds, and none of L, W, # and ?.)~"},
    code{"invalid_zone", "a time zone has no possible name", error,
         R"~(Zones have the names of the time zone database, because an offset knows no daylight saving:
  zone = "Europe/Berlin"
Way out: select name from pg_timezone_names lists them. Whether the server has it is looked at when it is migrated.)~"},
    code{"unknown_target", "a schedule is for a queue or stream that is not declared", error,
         R"~(A schedule enqueues a message or publishes an event, of which the declaration has to know the payload:
  [schedules.daily_report]
  cron  = "0 9 * * *"
  queue = "webhooks"
Way out: mend the name, write `stream` for a stream, or declare the queue.)~"},
};

}  // namespace

std::span<const code> declaration_codes() {
  return codes;
}

}  // namespace check
