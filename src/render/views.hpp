#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contract/lock.hpp"
#include "contract/queue_names.hpp"
#include "declaration/model.hpp"
#include "render/queue_model.hpp"
#include "render/view.hpp"

// A page of two columns.
// clang-format off

/// What templates can say. Every value arrives in its final spelling: a template places it and decides nothing.
///
/// # Template files
///
///   sql/change/migration.sql.mustache  migrations/<line>/NNNN_….sql: the steps of a migration
///   sql/change/<part>.sql.mustache     a part of a step that no object says
///   engine.txt                         the numbers of what all of these make in a database; says what a change of it needs
///   sql/engine/queue_2.sql.mustache    steps that bring released queues to engine 2, with values of sql/queue;
///                                      core_2: what they share; …_after: when nobody runs older functions any more
///   sql/core/create.sql.mustache       the step that creates the shared objects
///   sql/core/doors.sql.mustache        those of them that change when queues come and go
///   sql/core/definition.sql.mustache   generated/sql/core.sql
///   sql/core/<object>.sql.mustache     an object, placed in the three above
///   sql/queue/create.sql.mustache      the step that creates a queue
///   sql/queue/definition.sql.mustache  generated/sql/<queue>.sql
///   sql/queue/<object>.sql.mustache    an object that all contracts share, placed in the two above
///   sql/version/consumers.sql.mustache what consumers of one contract use, and
///   sql/version/producers.sql.mustache what producers use: both for each live contract where sql/queue says `versions`
///   sql/version/<object>.sql.mustache  an object of one contract, placed in the two above
///   sql/stream/…, sql/stream_version/… the same of streams
///   sql/stream_change/<part>           a part of a step about a stream, where queues have another
///   cpp/queue.hpp.mustache             generated/include/<namespace path>/<queue>.hpp
///   cpp/stream.hpp.mustache            generated/include/<namespace path>/<stream>.hpp
///   cpp/former.hpp.mustache            the same under a former name, as long as contracts of that name live
///   cpp/enum.hpp.mustache              generated/include/<namespace path>/<enum>.hpp
///
/// The files above place objects with `{{> object}}` (the file's name up to the first dot), alone on its line; an
/// object is rendered once, without blank lines at its ends, and placed wherever it is named. Objects place nothing.
/// Tags: `{{value}}`, `{{#list}}…{{/list}}`,
/// `{{#flag}}…{{/flag}}`, `{{^flag}}…{{/flag}}`, `{{! comment }}`. Nothing is escaped. A section tag alone on its line
/// leaves no line.
///
/// A compound name is written in the template (`{{prefix}}_message`, `{{prefix}}_enqueue_v{{version}}`): a suffix never
/// makes a reserved word. Only whole names of the user (column, door, type, schema, roles) need quotes and have them.
///
/// # sql/core
///
///   project               shop                        plain
///   schema                shop                        an identifier, quoted where PostgreSQL wants it
///   schema_literal        'shop'
///   session               case when … end             the key of this session, which its claims bear; null unless it has one
///   enums                 list, see below
///   has_enums             flag
///   doors, stream_doors   lists, every name that a queue, a stream has or had, its present one first
///   has_streams           flag
///   schedules, has_schedules   list, see below; flag
///   schedulers, has_schedulers roles that may make them fire, as producers of a queue; flag
///   has_jobs              flag: pg_cron makes some of them fire; of its one job:
///   job_literal, job_command_literal                  'quern shop', 'select * from shop.quern_schedule_run(…)'
///   job_message_literal   'pg_cron is not …'          what is said when there is no such extension
///
/// schedules:
///   schedule_literal, target_literal, cron_literal, zone_literal, catch_up_literal, runner_literal, payload_literal
///                         'daily_report'              as in the declaration
///   doc_literal           'Every morning.'            null::text without one
///   zone_message_literal  'the server has no …'       what is said when there is no such zone
///   minutes, hours, days, months, weekdays            array[0, 30]; null::integer[] where any will do
///   is_stream             flag
///   api, version          of the queue or stream, and the contract that is spoken
///   line_end              `,` or, behind the last, `;`
///
/// doors:
///   line_literal, prefix, api as in queues
///   queue_literal         'mail'                      the name
///   has_other_names       flag: what bears this name may not be there
///
/// enums:
///   type                  shop.channel
///   doc_literal, has_doc  as in queues
///   values                list: literal ('email'), comma
///
/// # sql/queue and sql/version
///
///   schema, session       as in core
///   line                  email                       the first name of the queue, which stays: plain, the beginning of
///                                                     unqualified names of constraints, indexes
///   line_literal          'email'                     of the queue's row in quern_queue
///   prefix                shop.email                  beginning of every name that stays: {{prefix}}_message; of tables,
///                                                     sequences and functions that only functions call
///   queue                 mail                        plain: in sql/queue the name that is spelled, in sql/version that
///                                                     of the contract
///   api                   shop.mail                   beginning of what programs call: {{api}}_ack
///   channel_literal       'shop.email'                of NOTIFY
///   advisory_key          -4615713571523186407        a bigint
///   lease                 interval '30 seconds'
///   max_attempts          8
///   has_expires           flag: messages end that were not handled in time
///   producers, consumers, operators  web, "Web-App"   identifiers with `, ` between them
///   has_producers, has_consumers, has_operators       flags
///   version               2                           in sql/queue the newest, in sql/version the one that is spelled
///   has_levels            flag: messages of some live contract have priorities
///   last_level            2                           the priority that comes last
///   levels                list: level (1, 2), the priorities that are not the first
///   priority              priority                    the column that holds them
///   is_log                flag: storage = "log"
///   is_ordered            flag: whether the messages of a key are handled in order; the next five are for that only
///   has_limits            flag: whether a claim may get fewer messages than there are
///   has_places            flag: because only so many are in work at once
///   has_key_limit         flag: is_ordered, but so many messages of a key may be in work at once, in any order
///   per_key               2                           how many
///   is_blocking           flag: whether a dead letter keeps the later messages of its key back
///   key_column            customer_id                 the column of the key
///   key_m, key_d, key_e   hashint8extended(m.customer_id, 0)   the key of the row m, d, e as a bigint; null where none
///
/// # sql/queue
///
///   project               as in core
///   door                  shop.email                  the view; quoted where it must be (shop."order")
///   segments              list: segment (0), comma: of the log
///   segment_count         5
///   retry_delay           least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())
///                         an interval out of `p_attempt` (integer, 1 is the first attempt, which has just failed)
///   has_dead_letter       flag
///   has_done              flag: handled messages are kept; then
///   keep_done             interval '168 hours'        for how long
///   done_channel          shop.email.done             on which the ends of messages are told, done_channel_literal in quotes
///   payload_m             (select to_jsonb(…) …)      the payload of the row m as JSON, in the words of the contract that
///                         wrote it; payload_d as well in sql/version, where has_done is too
///   has_space             flag in sql/version: segments fill up that are emptied later, of a log or of an archive
///   doc_literal           'Transactional mail …'      a literal on one line, whatever the doc contains
///   has_doc               flag
///   roles                 mailer, ops, "Web-App"      all of them, sorted
///   has_roles             flag
///   oldest_version        1                           of the live ones that bear the name
///   json_version          2                           the newest that bears the name
///   versions              list, the live ones: number, queue_literal (the name that their programs know), comma
///   has_older_versions    flag
///   older_versions        list, the live ones that bear the name, but the newest: number; names_fit, whether `p_payload` has its
///                         fields; values: list: value (out of `p_payload`, as from_json), line_end; demands: list: demand
///                         (char_length((p_payload ->> 'recipient')) <= 320)
///   payload_columns       list: column, separator (before it); what contracts wrote their payloads into
///   columns               list: column (quoted where it must be), sql_type, default_clause (` default 'email'` or
///                         nothing), not_null (` not null` or nothing), doc_literal, has_doc, given_default (the same
///                         where whoever inserts gives the time), revived (r.note: the value for a message that a row r
///                         is made to again)
///   checks                list: name (email_recipient_max_length, at most 63 bytes, unique within one table),
///                         expression (char_length(recipient) <= 320), comma
///   message_indexes, delayed_indexes, dead_indexes   list: name, columns; of that table, besides its key
///   door_fields           list: column, value_m as in fields of sql/version, comma: of the oldest_version
///   door_readable         m.contract_version = 1      whether the row m can be read as the oldest_version
///   is_door_schemaless    flag
///   has_unique            flag: whether there is one message of those that are the same, and of these flags one:
///   has_pending_key, has_timed_key                    while it is pending, for a time
///   has_rate              flag: as has_limits, because only so many are handed out in a time
///   place_count, last_place                           20, 19: how many are in work at once, and one less
///   rate_count, rate_per, rate_burst                  100, interval '1 second', 10: as declared
///   rate_interval         10000000                    from one message to the next, in nanoseconds
///   rate_ahead            100000000                   the interval times the burst
///   rate_pause            interval '10 milliseconds'  the interval, rounded up to microseconds
///   unique_name           email_unique_v2             of its table, of the contract with which the rule began
///   unique_table          shop.email_unique_v2
///   unique_window         interval '1 hour'           since a message was enqueued
///   unique_fields         list: column (quoted where it must be), key_type (bigint), collation (` collate "C"` or
///                         nothing), number (1), key_new, key_e (new.order_id, e.order_id: the value out of that row,
///                         whichever contract wrote it), comma
///
/// # sql/version
///
///   expires               interval '1 hour'           within which messages have to be handled
///   queue_literal         'mail'                      of rows in quern_contract
///   fingerprint           64 hex digits
///   is_schemaless         flag: the one field is payload jsonb not null
///   has_unordered         flag: whether messages of an ordered queue may have no key
///   json_contract         '{"order_id": "number", "note": "string?", …}'   for quern_check_payload: number string boolean
///                         array any; with `?` where it may be missing or null (optional fields and those with a default)
///   readable_m, readable_d   m.contract_version = 1   whether this contract can read the row m, d
///   has_priorities        flag: producers of this contract may give a priority, and its consumers see it
///   has_headers           flag: the same of headers, in the column quern_headers
///   last_priority         2                           the last one that they may give
///   fields                list, in the order of the declaration
///   parameters            list, the same fields, those without default first
///   has_unique            as in sql/queue
///   reports_duplicates    flag: this contract says what was a duplicate, whether there still are such or not
///   reads_all             flag: whether this contract can read what any live one writes
///   unique_sort           list: key (order_id): the fields of this contract that make messages the same
///
/// fields:
///   column                order_id                    the name of the field, quoted where it must be
///   stored                order_id                    the column that this contract writes it to
///   value_m, value_d      m.order_id                  its value out of the row m, d, whichever contract wrote that
///   parameter             p_order_id
///   sql_type              bigint, shop.channel, uuid[]
///   many_value            t.order_id, t.attachments::uuid[], coalesce(t.channel, 'email'): one message's value out of
///                         `unnest(p_order_id, …) as t(order_id, …)`
///   from_json             (p_payload ->> 'order_id')::bigint: the value, or its default, out of the checked `p_payload`
///   comma                 `, ` or, for the last, nothing
///
/// parameters:
///   parameter, sql_type   as in fields
///   parameter_default     ` default 'email'`, ` default null` (optional) or nothing
///   many_type             bigint[]; text[] for an array field (its elements are array literals)
///   many_default          ` default null` or nothing, of a parameter of enqueue_many
///
/// # sql/stream
///
///   project, schema, line, queue, prefix, api, channel_literal, advisory_key, doc_literal, has_doc, producers, consumers,
///   operators, roles with their flags, columns, checks, version, json_version, oldest_version, older_versions: as in
///   sql/queue
///   retention             interval '7 days'           how long events are kept at least
///   rotation              interval '84 hours'         how long one segment is filled
///   segments              list: segment (0)
///   segment_count         5
///   declared              list, the declared consumers: consumer_literal, from_literal ('start' or 'end'),
///                         is_cooperative, settings (interval '1 minute', 5, 'exponential', …: what _share takes)
///   filters               list, of the declared consumers that have one, and has_filters: consumer_literal, condition
///                         (what it says of the row p_event), readable_event (whether that can be said), comma
///   orders                list, of the declared consumers that have one, and has_orders: consumer_literal, column,
///                         column_literal ('customer_id'), key_of_event, key_of_failed (the hash of the key of the rows
///                         p_event, p_failed: hashint8extended(p_event.customer_id, 0))
///   blocking              list, of those whose dead letters hold their key back, and has_blocking: consumer_literal,
///                         comma
///
/// # sql/stream_version
///
///   As sql/version without leases, and with
///   next_version          3                           the number of the contract that comes next
///   readable_e, fields.value_e                        of the row e
///   reads_all                                         flag: whether the newest contract can read what any live one writes
///   fields.line_end, parameters.line_end              `,` or, for the last, nothing
///
/// # sql/change
///
/// migration: migration (email/0002_expand_v2), words (list: word), role_names, has_roles, steps (list: name, lock,
/// lock_timeout, statement_timeout, transaction, text, probe, has_probe, cleanup, has_cleanup, reverse, has_reverse)
///
/// The others: schema, line, line_literal, prefix, door, has_dead_letter, has_expires, has_done, is_log, is_ordered, is_blocking, producers and
/// has_producers as above, columns with their column alone, and
///   number                2                           the contract that it is about
///   queue, queue_literal, api                         as above: of that contract, else of the newest
///   versions              list, the live ones: number, api
///   names                 list: api, door: the names that it is about
///   other_names           list: api, door: of all live contracts, but the one above
///   is_its_contract       queue = 'email'             which rows of quern_contract and quern_client are the queue's
///   sunset, sunset_words  interval '24 hours'         how long nobody may have used a contract; the same in words
///   remaining             m.contract_version = 2      the rows m that must not be there
///   remaining_words       ` in contract v2`           the end of a sentence that says which
///   remaining_hint        'Let its consumers …'       a literal
///   leaves_done           flag: such rows of a log may be there when they are done
///   is_ahead              flag: the queue may not be there yet
///   levels                list: level, of the priorities but the first
///   changed_levels        list: level, of those that come or go
///   own_columns           note, amount_v2             columns that no other contract writes
///   has_own_columns       flag
///   revocations           list: privileges, objects, roles
///   schema_literal        'shop'
///   leavers               list: role, role_literal, comma, shared_rights (list: object, right, giver)
///   shared_names          ['quern_handshake', …]      what all queues and streams share
///   has_limits, has_places, has_rate, has_key_limit, place_count   as above
///   has_unique, has_pending_key, has_timed_key, unique_table, unique_window and of unique_fields column, number, key_e
///   and comma as above
///
/// # cpp: inside of quoted strings everything is escaped already
///
///   project               shop
///   namespace             shop, a::b
///   doc_lines             list: line (` text`, empty for an empty line), for `///{{line}}`
///
/// cpp/enum.hpp:
///   enum                  channel
///   qualified             shop::channel               from outside of the namespace
///   type                  shop.channel                in SQL
///   count                 3
///   values                list: label (email), comma
///
/// cpp/former.hpp:
///   kind                  queue, or stream
///   former, queue         email, mail                 the name that it has here, and its present one
///   header                shop/mail.hpp
///
/// cpp/queue.hpp:
///   includes              list: header (cstdint), sorted, of the standard library and quern
///   queue                 mail                        the present name
///   version               2                           the newest
///   versions              list, the live ones, oldest first: queue, api, version, fingerprint, is_schemaless as in SQL,
///                         fields, delay_number, has_priorities, priority_count (3), priority_number, priority (as in SQL)
///   (cpp/stream.hpp: the same, with the comma of fields instead of delay_number)
///   upgrades              list: from (email_v1), to (email_v2), from_version, to_version, assignments (list: name,
///                         expression)
///   other_names           list, of the live contracts: queue, version (the newest that bears the name)
///   schema, prefix        as in SQL
///   channel               shop.email
///   wake_key              -4615713571523186407        the advisory_key of SQL, as a literal of std::int64_t
///   has_done, done_channel, has_limits   as in sql/queue
///   enum_headers          list: header (shop/channel.hpp)
///   has_enum_headers      flag
///
/// versions:
///   delay_number          9                           of the placeholder behind those of the fields
///   priority_number       10                          of the one behind it
///   has_headers           flag
///   headers_number        11                          of the one behind these
///   reports_duplicates    flag: enqueue returns an id, and whether it is that of another message
///   fields                list: name, stored, parameter, type (std::optional<std::string>), initializer (`{}`,
///                         ` = shop::channel::email`), number (1, of its placeholder), doc_lines (its doc, then what
///                         its constraints say); of a schemaless queue the one payload

// clang-format on

namespace render {

/// What a project's shared objects lead to.
struct line_names {
  std::vector<contract::queue_doors> queues;
  std::vector<contract::queue_doors> streams;
  std::vector<contract::locked_schedule> schedules{};  // which are no door, but stand beside them
};

/// Of sql/core: the names of all queues and streams, and the enumerations that the text creates.
view core_view(const sql_project& project, const line_names& lines,
               const std::vector<contract::locked_enumeration>& enumerations);

/// Of sql/queue, or of sql/stream, under one of the names that the model has.
view shared_view(const queue_model& model, const std::string& name);

/// Of sql/version; the version is one of the model's.
view version_view(const queue_model& model, const queue_version& version);

/// How many segments a log has: publishing goes round them.
inline constexpr int segment_count = 5;

/// Of sql/stream_version; the version is one of the model's.
view stream_version_view(const queue_model& model, const queue_version& version);

/// Takes rights away.
struct revocation {
  std::string privileges;
  std::string objects;
  std::string roles;
};

/// A role that is not in a part of the grants any more, and what it had in common with those of other queues.
struct leaver {
  struct shared_right {
    std::string object;  // the name of one that stands for all of them
    std::string right;   // `execute on function …`, all of them
    std::string giver;   // how the names of functions end that are given together with them alone
  };

  std::string role{};
  std::vector<shared_right> rights{};
};

/// What a part of a change is about, besides the queue.
struct change_details {
  int number = 0;
  std::string remaining{};
  std::string remaining_words{};
  std::string remaining_hint{};
  std::vector<std::string> own_columns{};
  std::vector<std::string> names{};
  std::vector<revocation> revocations{};
  std::vector<leaver> leavers{};
  std::string shared_names{};
  std::vector<int> levels{};
  bool leaves_done = false;  // rows of a log that are done may be there
  bool is_ahead = false;     // of a migration that may come before what makes the queue
};

/// Of sql/change, all but migration.
view change_view(const queue_model& model, const change_details& details);

/// Of sql/change/migration.
view migration_view(const std::string& name, std::vector<view> words, const std::vector<std::string>& roles,
                    std::vector<view> steps);

/// Of cpp/queue.hpp and cpp/stream.hpp. The qualifier is cpp::qualifier of the project.
view queue_header_view(const queue_model& model, const std::string& cpp_namespace, const std::string& qualifier);

/// Of cpp/former.hpp: of a name that the queue had, and that programs still include.
view former_header_view(const queue_model& model, const std::string& cpp_namespace, const std::string& name);

/// Of cpp/enum.hpp.
view enumeration_header_view(const sql_project& project, const std::string& cpp_namespace,
                             const contract::locked_enumeration& enumeration);

/// `a::b` as a folder: `a/b`.
std::string namespace_path(std::string_view cpp_namespace);

}  // namespace render
