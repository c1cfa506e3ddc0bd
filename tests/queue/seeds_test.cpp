#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// The SQL of the documents that the product grew from runs as it stands there, with the schema in the search path. Only
// <task_id> is filled in. What one of them does with CREATE TABLE tasks, CREATE INDEX and CREATE TRIGGER is done by the
// declaration of a queue `tasks`.

namespace {

constexpr std::string_view declared = R"(
[queues.my_queue]
payload = "jsonb"
[queues.tasks]
payload = "jsonb"
)";

constexpr std::string_view enqueue_work = R"(
SELECT queue_enqueue('my_queue', '{"task": "process-user", "id": 42}');
)";

constexpr std::string_view dequeue_work = R"(
SELECT * FROM queue_dequeue('my_queue');
)";

constexpr std::string_view acknowledge_work = R"(
SELECT queue_ack(<task_id>);
)";

constexpr std::string_view insert_task = R"(
INSERT INTO tasks (payload, status)
VALUES ('{"task_type": "process_data", "data": 123}', 'pending');
)";

constexpr std::string_view claim_task = R"(
BEGIN;

-- Claim the next available task
SELECT id, payload FROM tasks
WHERE status = 'pending'
ORDER BY created_at ASC
LIMIT 1
FOR UPDATE SKIP LOCKED;
)";

constexpr std::string_view delete_task = R"(
DELETE FROM tasks WHERE id = <task_id>;
)";

constexpr std::string_view complete_task = R"(
UPDATE tasks SET status = 'completed' WHERE id = <task_id>;
)";

std::string about(std::string_view sql, const std::string& task_id) {
  std::string text{sql};
  text.replace(text.find("<task_id>"), 9, task_id);
  return text;
}

struct shop_floor : test::workshop {
  shop_floor() : workshop{declared} {}
};

/// The id of a row `id|payload`.
std::string id_of(const std::string& row) {
  return row.substr(0, row.find('|'));
}

}  // namespace

TEST_CASE("enqueue, dequeue and acknowledge by the name of the queue") {
  shop_floor here;
  const auto id = here.db.ask(enqueue_work);
  const auto task = here.db.ask("SELECT message_id, attempt, payload FROM queue_dequeue('my_queue')");
  CHECK(task == id + R"(|1|{"id": 42, "task": "process-user"})");
  CHECK(here.db.ask(dequeue_work).empty());
  CHECK(here.db.ask(about(acknowledge_work, id)) == "t");
  CHECK(here.counts("my_queue") == "0|0|0|0");
  CHECK(here.db.ask(about(acknowledge_work, id)) == "f");
}

TEST_CASE("dequeue returns at most one task, with its columns in the promised order") {
  shop_floor here;
  here.db.ask(enqueue_work);
  here.db.ask(enqueue_work);
  const auto rows = here.db.connection().run_script(dequeue_work);
  REQUIRE(rows.back().size() == 1);
  REQUIRE(rows.back().column_count() == 4);
  CHECK(rows.back().column_name(0) == "message_id");
  CHECK(rows.back().column_name(1) == "attempt");
  CHECK(rows.back().column_name(2) == "enqueued_at");
  CHECK(rows.back().column_name(3) == "payload");
}

TEST_CASE("ids name one message of the whole project, so that an acknowledgement needs no queue") {
  shop_floor here;
  const auto mine = here.db.ask(enqueue_work);
  const auto task = here.db.ask("select queue_enqueue('tasks', '{}')");
  CHECK(mine != task);
  here.db.ask("select queue_dequeue('my_queue'), queue_dequeue('tasks')");
  CHECK(here.db.ask(about(acknowledge_work, task)) == "t");
  CHECK(here.counts("tasks") == "0|0|0|0");
  CHECK(here.counts("my_queue") == "0|0|1|0");
  CHECK(here.db.ask("select queue_ack(0), queue_ack(-1), queue_ack(null), queue_ack(9223372036854775807)") ==
        "f|f|f|f");
}

TEST_CASE("an unknown queue is refused by name") {
  shop_floor here;
  CHECK(here.db.refusal("SELECT queue_enqueue('your_queue', '{}')") == R"(QN002: there is no queue "your_queue")");
  CHECK(here.db.refusal("SELECT * FROM queue_dequeue('your_queue')") == R"(QN002: there is no queue "your_queue")");
  CHECK(here.db.refusal("SELECT * FROM queue_dequeue(null)") == R"(QN002: there is no queue "")");
}

TEST_CASE("an acknowledgement of a message that nobody has claimed changes nothing") {
  shop_floor here;
  const auto id = here.db.ask(enqueue_work);
  CHECK(here.db.ask(about(acknowledge_work, id)) == "f");
  CHECK(here.counts("my_queue") == "1|0|0|0");
}

TEST_CASE("a task is inserted, claimed, processed and deleted in a transaction", "[rows]") {
  shop_floor here;
  here.db.ask(insert_task);
  const auto task = here.db.ask(claim_task);
  CHECK(task.substr(task.find('|')) == R"(|{"data": 123, "task_type": "process_data"})");
  here.db.ask(about(delete_task, id_of(task)));
  here.db.ask("COMMIT;");
  CHECK(here.db.ask("SELECT count(*) FROM tasks") == "0");
  CHECK(here.counts("tasks") == "0|0|0|0");
}

TEST_CASE("a task that is set to completed is done", "[rows]") {
  shop_floor here;
  here.db.ask(insert_task);
  const auto task = here.db.ask(claim_task);
  const auto done = here.db.connection().run_script(about(complete_task, id_of(task)));
  CHECK(done.back().affected_rows() == 1);
  here.db.ask("COMMIT;");
  CHECK(here.counts("tasks") == "0|0|0|0");
}

TEST_CASE("two workers at once get different tasks, and a third none", "[rows]") {
  shop_floor here;
  here.db.ask(insert_task);
  here.db.ask(insert_task);
  auto one = here.open();
  auto two = here.open();
  auto three = here.open();
  const auto first = one.ask(claim_task);
  const auto second = two.ask(claim_task);
  CHECK_FALSE(first.empty());
  CHECK_FALSE(second.empty());
  CHECK(first != second);
  CHECK(three.ask(claim_task).empty());
  // The claims of the library and of the door respect each other.
  CHECK(here.db.ask("select * from queue_dequeue('tasks')").empty());
  one.ask(about(delete_task, id_of(first)) + "COMMIT;");
  two.ask("ROLLBACK");
  three.ask("ROLLBACK");
  CHECK(three.ask(claim_task) == second);
}

TEST_CASE("a rollback gives the task back to other workers at once", "[rows]") {
  shop_floor here;
  here.db.ask(insert_task);
  auto failing = here.open();
  const auto task = failing.ask(claim_task);
  failing.ask(about(delete_task, id_of(task)) + "ROLLBACK");
  CHECK(here.db.ask(claim_task) == task);
}

TEST_CASE("the tasks come in the order in which they were created", "[rows]") {
  shop_floor here;
  std::string order;
  for (int i = 0; i < 5; ++i) {
    here.db.ask(insert_task);
    order += here.db.ask("select max(id) from tasks") + " ";
  }
  std::string seen;
  for (int i = 0; i < 5; ++i) {
    const auto id = id_of(here.db.ask(claim_task));
    here.db.ask(about(delete_task, id) + "COMMIT;");
    seen += id + " ";
  }
  CHECK(seen == order);
}

TEST_CASE("a worker that listens to new_task is woken by every inserted task with its id", "[rows]") {
  shop_floor here;
  auto worker = here.open();
  // The loop of the document, statement by statement: LISTEN, an empty look, then a notification, a claim, a deletion.
  worker.connection().listen("new_task");
  CHECK(worker
            .ask(R"(
                    BEGIN;
                    SELECT id, payload FROM tasks
                    WHERE status = 'pending'
                    ORDER BY created_at ASC
                    LIMIT 1
                    FOR UPDATE SKIP LOCKED;
                )")
            .empty());
  worker.ask("ROLLBACK");
  here.db.ask(insert_task);
  const auto woken =
      worker.connection().wait_for_notification(std::chrono::steady_clock::now() + std::chrono::seconds{30});
  REQUIRE(woken.has_value());
  CHECK(woken->channel == "new_task");
  const auto task = worker.ask(claim_task);
  CHECK(id_of(task) == woken->payload);
  CHECK(worker.connection().execute("DELETE FROM tasks WHERE id = $1", std::stoll(woken->payload)).affected_rows() ==
        1);
  worker.ask("COMMIT");
  CHECK(here.counts("tasks") == "0|0|0|0");
}

TEST_CASE("the door refuses what it would have to ignore", "[rows]") {
  shop_floor here;
  here.db.ask(insert_task);
  const std::string given = "QN005: only the payload of a new task can be given, its status is 'pending'";
  CHECK(here.db.refusal("insert into tasks (id, payload) values (5, '{}')") == given);
  CHECK(here.db.refusal("insert into tasks (payload, status) values ('{}', 'completed')") == given);
  CHECK(here.db.refusal("insert into tasks (payload, created_at) values ('{}', now())") == given);
  const std::string changed = "QN005: a task can only be deleted or set to 'completed'";
  CHECK(here.db.refusal("update tasks set status = 'processing'") == changed);
  CHECK(here.db.refusal("update tasks set payload = '{}', status = 'completed'") == changed);
  CHECK(here.db.refusal("insert into tasks (payload) values (null)").substr(0, 6) == "23502:");
}

TEST_CASE("an inserted task can be returned with what it was given") {
  shop_floor here;
  const auto row =
      here.db.ask("insert into tasks (payload) values ('{}') returning id, payload, status, created_at <= now()");
  CHECK(row == here.db.ask("select max(message_id) from tasks_message") + "|{}|pending|t");
}

TEST_CASE("a task that is claimed by its name is shown as processing and cannot be ended at the door", "[rows]") {
  shop_floor here;
  here.db.ask(insert_task);
  here.db.ask("select queue_dequeue('tasks')");
  CHECK(here.db.ask("select status from tasks") == "processing");
  CHECK(here.db.connection().run_script("delete from tasks").back().affected_rows() == 0);
  CHECK(here.db.connection().run_script("update tasks set status = 'completed'").back().affected_rows() == 0);
  CHECK(here.counts("tasks") == "0|0|1|0");
}

TEST_CASE("a paused queue hands out nothing at the door, and takes the end of what was handed out before", "[rows]") {
  shop_floor here;
  here.db.ask(insert_task);
  here.db.ask(insert_task);
  const auto task = here.db.ask(claim_task);
  auto other = here.open();
  other.ask("select tasks_pause()");
  CHECK(other.ask(claim_task).empty());
  here.db.ask(about(delete_task, id_of(task)) + "COMMIT;");
  CHECK(here.counts("tasks") == "1|0|0|0");
  other.ask("ROLLBACK; select tasks_resume()");
  CHECK_FALSE(other.ask(claim_task).empty());
}

TEST_CASE("the table of tasks gives nothing of a queue with limits away", "[rows]") {
  const std::string_view limit = GENERATE("concurrency = 1", "rate = { count = 1, per = \"1h\" }");
  test::workshop here{fmt::format("[queues.mail]\n{}\n[queues.mail.payload]\nbody = \"text\"\n", limit)};
  here.db.ask("select mail_enqueue_v1('m' || n) from generate_series(1, 2) as n");
  CHECK(here.db.ask("select count(*) from mail") == "2");
  for (const auto* end : {"delete from mail", "update mail set status = 'completed'"})
    CHECK(here.db.refusal(end) == "QN005: how many tasks of queue \"mail\" are in work at once is limited");
}
