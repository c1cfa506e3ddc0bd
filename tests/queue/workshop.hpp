#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <quern/connection.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// A message as its consumer holds it.
struct held {
  std::int64_t id = 0;
  int attempt = 0;
  std::string body;
  bool operator==(const held&) const = default;
};

/// A connection that finds the project's names without their schema. The verbs work on queue `mail`, whose payload is
/// one text, `body`.
class session {
 public:
  session(const std::string& url, const std::string& schema);

  /// Executes statements and gives the rows of the last as text: columns joined by `|`, rows by a space, `null` for
  /// NULL.
  std::string ask(std::string_view sql);

  /// Why the server refuses the statements: `QN005: a lease must be longer than nothing`, a detail in brackets. An
  /// empty text when it does not.
  std::string refusal(std::string_view sql);

  /// As ask(), on a thread of its own.
  std::future<std::string> later(std::string sql);

  std::int64_t send(std::string_view body, std::string_view delay = "0");
  std::vector<held> receive(int count = 1, std::string_view lease = "30s");

  /// The one message that there is; an id of 0 when there is none.
  held receive_one() { return first(receive()); }

  std::vector<held> take(int count = 1);
  bool ack(const held& message);
  /// The ids that were not acknowledged, in braces.
  std::string ack_many(const std::vector<held>& messages);
  std::string fail(const held& message, std::string_view delay = "0", std::string_view error = "failed");
  bool extend(const held& message, std::string_view lease = "30s");
  bool release(const held& message);
  bool redrive(std::int64_t id);

  void begin() { ask("begin"); }

  void commit() { ask("commit"); }

  void rollback() { ask("rollback"); }

  int pid() const { return db_.backend_pid(); }

  quern::connection& connection() { return db_; }

 private:
  static held first(const std::vector<held>& messages);
  std::vector<held> held_by(std::string_view sql);

  quern::connection db_;
};

/// The bodies in the order in which they came: `a b c`.
std::string bodies(const std::vector<held>& messages);

/// Whether queues that do not say so are stored in a log: the tests of what queues mean run once for each storage, with
/// QUERN_TEST_STORAGE=log for this one.
bool is_log();

/// Three attempts, ten seconds between them, dead letters; roles produce `qt_web`, consume `qt_mailer`, operate
/// `qt_ops`.
extern const std::string_view mail_queue;

/// A project migrated into a schema of its own, in the database that the tests of a process share or in another one.
class workshop {
 public:
  explicit workshop(std::string_view declaration = mail_queue, const std::string& url = shared_url());

  /// A further session, as superuser or as one of the roles.
  session open(std::string_view role = {}) const;

  /// Makes everything in the queue that much older, so that leases run out and delayed messages are due. The next claim
  /// looks everywhere.
  void advance(std::chrono::milliseconds time, std::string_view queue = "mail");

  /// The next claim begins at the low-water mark.
  void make_sweep_due(std::string_view queue = "mail");

  /// The next claim begins at the low-water mark too, but where that is 500,000 ids or more behind the frontier: there
  /// it begins 10,000 ids behind that, unless it finds less than it asks for.
  void make_short_sweep_due(std::string_view queue = "mail");

  /// Draws so many ids.
  void skip_ids(std::int64_t count, std::string_view queue = "mail");

  /// The next claim begins at the very start, as once a minute.
  void make_full_sweep_due(std::string_view queue = "mail");

  /// Takes everything out of the queue, whatever state it is in.
  void clear(std::string_view queue = "mail");

  /// The present attempts are the last of three ones.
  void make_last(std::string_view queue = "mail");

  /// `ready|delayed|leased|dead`
  std::string counts(std::string_view queue = "mail");

  /// Everything that is stored of the queue's messages, to see that nothing has changed.
  std::string contents(std::string_view queue = "mail");

  /// Waits until the session is waiting for a lock that another holds.
  void wait_until_blocked(const session& who);

  const std::string& schema() const { return schema_; }

  const std::string& url() const { return url_; }

  static const std::string& shared_url();

 private:
  bool has_log(std::string_view queue);

  std::string url_;
  std::string schema_;

 public:
  /// The superuser's own session.
  session db;
};

}  // namespace test
