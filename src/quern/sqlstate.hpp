#pragma once

#include <array>
#include <string_view>

/// The SQLSTATEs that callers and the library itself act on. Class QN is Quern's own.
namespace quern::sqlstate {

inline constexpr std::string_view contract_mismatch = "QN001";
inline constexpr std::string_view unknown_queue = "QN002";
inline constexpr std::string_view invalid_payload = "QN003";
inline constexpr std::string_view wrong_isolation = "QN004";
inline constexpr std::string_view invalid_argument = "QN005";
inline constexpr std::string_view history_mismatch = "QN006";
inline constexpr std::string_view missing_role = "QN007";
inline constexpr std::string_view still_in_use = "QN008";
inline constexpr std::string_view duplicate_message = "QN009";
inline constexpr std::string_view kept_in_log = "QN010";
inline constexpr std::string_view restored_elsewhere = "QN020";
inline constexpr std::string_view unreadable_event = "QN021";
inline constexpr std::string_view events_not_kept = "QN022";
inline constexpr std::string_view unknown_consumer = "QN023";
inline constexpr std::string_view missing_event = "QN024";
inline constexpr std::string_view other_kind_of_consumer = "QN025";
inline constexpr std::string_view unknown_schedule = "QN030";
inline constexpr std::string_view unknown_zone = "QN031";
inline constexpr std::string_view missing_extension = "QN032";

/// One of Quern's own conditions: its SQLSTATE, its name, what it means.
struct condition {
  std::string_view code;
  std::string_view name;
  std::string_view meaning;
};

/// The one table of class QN, in the order of the codes.
inline constexpr std::array<condition, 19> conditions{{
    {contract_mismatch, "contract_mismatch", "the program and the database do not have the same contract of a queue"},
    {unknown_queue, "unknown_queue", "the schema has no queue of that name"},
    {invalid_payload, "invalid_payload", "the payload does not fit the contract of its queue"},
    {wrong_isolation, "wrong_isolation", "the function needs a transaction at READ COMMITTED"},
    {invalid_argument, "invalid_argument", "an argument is out of its range"},
    {history_mismatch, "history_mismatch", "the database was migrated by other files than these"},
    {missing_role, "missing_role", "a role that the declaration grants to does not exist"},
    {still_in_use, "still_in_use", "clients or messages still depend on what is to be taken away"},
    {duplicate_message, "duplicate_message", "another message that is the same is pending"},
    {kept_in_log, "kept_in_log", "what waits in a log cannot be taken out of it"},
    {restored_elsewhere, "restored_elsewhere", "the stream was restored into another cluster and has to be repaired"},
    {unreadable_event, "unreadable_event", "the next event is of a contract that this one cannot read"},
    {events_not_kept, "events_not_kept", "the events after this offset are not kept any more"},
    {unknown_consumer, "unknown_consumer", "the stream has no consumer of that name"},
    {missing_event, "missing_event", "an event is not where its page says: the tables were changed by hand"},
    {other_kind_of_consumer, "other_kind_of_consumer",
     "the consumer is cooperative where it must not be, or not where it must"},
    {unknown_schedule, "unknown_schedule", "the schema has no schedule of that name"},
    {unknown_zone, "unknown_zone", "the server has no time zone of that name"},
    {missing_extension, "missing_extension", "the database lacks an extension that the declaration asks for"},
}};

// Of PostgreSQL's own (appendix A of its manual).
inline constexpr std::string_view feature_not_supported = "0A000";
inline constexpr std::string_view in_failed_transaction = "25P02";
inline constexpr std::string_view invalid_statement_name = "26000";
inline constexpr std::string_view invalid_schema_name = "3F000";
inline constexpr std::string_view serialization_failure = "40001";
inline constexpr std::string_view deadlock_detected = "40P01";
inline constexpr std::string_view insufficient_privilege = "42501";
inline constexpr std::string_view undefined_object = "42704";
inline constexpr std::string_view undefined_function = "42883";
inline constexpr std::string_view undefined_table = "42P01";
inline constexpr std::string_view disk_full = "53100";
inline constexpr std::string_view out_of_memory = "53200";
inline constexpr std::string_view too_many_connections = "53300";
inline constexpr std::string_view lock_not_available = "55P03";
inline constexpr std::string_view query_canceled = "57014";
inline constexpr std::string_view admin_shutdown = "57P01";
inline constexpr std::string_view cannot_connect_now = "57P03";

}  // namespace quern::sqlstate
