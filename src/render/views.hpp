#pragma once

#include <string>
#include <vector>

#include "declaration/model.hpp"
#include "render/view.hpp"

// A page of two columns.
// clang-format off

/// What templates can say. Every value arrives in its final spelling: a template places it and decides nothing.
///
/// # Template files
///
///   sql/core/migration.sql.mustache    migrations/core/0001_create.sql
///   sql/core/extension.sql.mustache    migrations/core/NNNN_add_….sql: new enumerations, or new queues behind the doors
///   sql/core/definition.sql.mustache   generated/sql/core.sql
///   sql/core/<object>.sql.mustache     an object, placed in the three above
///   sql/queue/migration.sql.mustache   migrations/<queue>/0001_create.sql
///   sql/queue/definition.sql.mustache  generated/sql/<queue>.sql
///   sql/queue/<object>.sql.mustache    an object, placed in the two above
///   cpp/queue.hpp.mustache             generated/include/<namespace path>/<queue>.hpp
///   cpp/enum.hpp.mustache              generated/include/<namespace path>/<enum>.hpp
///
/// The files above place objects with `{{> object}}` (the file's name up to the first dot), alone on its line; an
/// object is rendered once, without blank lines at its ends, and placed wherever it is named. Objects place nothing.
/// Steps and their header comments are written in migration and extension. Tags: `{{value}}`, `{{#list}}…{{/list}}`,
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
///   migration             core/0001_create            the name in the first line of the file
///   enums                 list, see below. In extension: the new ones
///   has_enums             flag
///   queues                list, all queues: queue_literal, prefix, version
///
/// enums:
///   type                  shop.channel
///   doc_literal, has_doc  as in queues
///   values                list: literal ('email'), comma
///
/// # sql/queue
///
///   project, schema       as in core
///   migration             email/0001_create
///   queue                 email                       plain; also the beginning of unqualified names of constraints, indexes
///   queue_literal         'email'
///   prefix                shop.email                  beginning of every qualified name: {{prefix}}_message
///   door                  shop.email                  the view; quoted where it must be (shop."order")
///   doc_literal           'Transactional mail …'      a literal on one line, whatever the doc contains
///   has_doc               flag
///   version               1
///   fingerprint           64 hex digits
///   channel_literal       'shop.email'                of NOTIFY
///   advisory_key          -4615713571523186407        a bigint
///   lease                 interval '30 seconds'
///   max_attempts          8
///   retry_delay           least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())
///                         an interval out of `p_attempt` (integer, 1 is the first attempt, which has just failed)
///   has_dead_letter       flag
///   is_schemaless         flag: the one field is payload jsonb not null
///   producers, consumers, operators               web, "Web-App"   identifiers with `, ` between them
///   has_producers, has_consumers, has_operators   flags
///   roles, has_roles      mailer, ops, "Web-App"      all of them, sorted
///   role_names            mailer, ops, Web-App        the same without quotes, for `-- roles:`
///   json_contract         '{"order_id": "number", "note": "string?", …}'   for quern_check_payload: number string boolean
///                         array any; with `?` where it may be missing or null (optional fields and those with a default)
///   fields                list, in the order of the declaration
///   parameters            list, the same fields, those without default first
///   checks                list: name (email_recipient_max_length, at most 63 bytes, unique within one table),
///                         expression (char_length(recipient) <= 320)
///
/// fields:
///   column                order_id                    quoted where it must be
///   parameter             p_order_id
///   sql_type              bigint, shop.channel, uuid[]
///   not_null              ` not null` or nothing
///   default_clause        ` default 'email'` or nothing
///   many_value            t.order_id, t.attachments::uuid[], coalesce(t.channel, 'email'): one message's value out of
///                         `unnest(p_order_id, …) as t(order_id, …)`
///   from_json             (p_payload ->> 'order_id')::bigint: the value, or its default, out of the checked `p_payload`
///   doc_literal, has_doc  as in queues
///   comma                 `, ` or, for the last, nothing
///
/// parameters:
///   parameter, sql_type   as in fields
///   parameter_default     ` default 'email'`, ` default null` (optional) or nothing
///   many_type             bigint[]; text[] for an array field (its elements are array literals)
///   many_default          ` default null` or nothing, of a parameter of enqueue_many
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
/// cpp/queue.hpp:
///   includes              list: header (cstdint), sorted, of the standard library and quern
///   queue                 email
///   version, fingerprint, is_schemaless               as in SQL
///   schema, prefix        as in SQL
///   channel               shop.email
///   wake_key              -4615713571523186407        the advisory_key of SQL, as a literal of std::int64_t
///   enum_headers          list: header (shop/channel.hpp)
///   has_enum_headers      flag
///   delay_number          9                           of the placeholder behind those of the fields
///   fields                list: name, column, parameter, type (std::optional<std::string>), initializer (`{}`,
///                         ` = shop::channel::email`), number (1, of its placeholder), doc_lines (its doc, then what
///                         its constraints say); of a schemaless queue the one payload

// clang-format on

namespace render {

/// A queue at the version of its contract.
struct versioned_queue {
  const declaration::queue* queue = nullptr;
  int version = 1;
  std::string fingerprint;
};

/// Of sql/core: all queues, and the enumerations that the file creates.
view core_view(const declaration::project& project, const std::vector<versioned_queue>& queues,
               const std::vector<const declaration::enumeration*>& enumerations, std::string migration);

/// Of sql/queue.
view queue_view(const declaration::project& project, const versioned_queue& queue);

/// Of cpp/queue.hpp. The qualifier is cpp::qualifier of the project.
view queue_header_view(const declaration::project& project, const versioned_queue& queue, const std::string& qualifier);

/// Of cpp/enum.hpp.
view enumeration_header_view(const declaration::project& project, const declaration::enumeration& enumeration);

/// `a::b` as a folder: `a/b`.
std::string namespace_path(const declaration::project& project);

}  // namespace render
