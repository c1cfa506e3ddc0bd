// What programs may give to functions, and what they are told when it makes no sense.

#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view everything = R"(
[queues.mail]
storage = "rows"
keep_done = "1h"
concurrency = 20
rate = { count = 100, per = "1s" }
[queues.mail.payload]
body = "text"
[queues.steps]
storage = "rows"
ordered_by = "body"
expires = "1h"
[queues.steps.payload]
body = { type = "text", max_length = 20 }
[queues.single]
storage = "rows"
priorities = 3
unique = { fields = ["body"], while = "pending" }
[queues.single.payload]
body = { type = "text", max_length = 20 }
[queues.bulk]
storage = "log"
[queues.bulk.payload]
body = "text"
[streams.activity]
[streams.activity.payload]
body = "text"
[streams.activity.consumers.audit]
[streams.activity.consumers.sieve]
where = "body = 'a'"
[streams.activity.consumers.crew]
workers = "cooperative"
)";

/// Calls every function that programs may call, with each of these values for each of its numbers and times, and notes
/// what is refused.
constexpr std::string_view call_all = R"(
create temp table refused (call text, state text);
do $do$
declare
  v_function record;
  v_place integer;
  v_type text;
  v_value text;
  v_call text;
begin
  for v_function in
    select p.proname, p.proargnames as names, p.proargtypes::oid[] as types, p.pronargs
    from pg_proc as p
    where p.pronamespace = current_schema()::regnamespace
      and p.prosecdef
      and p.prorettype <> 'trigger'::regtype
      and p.proname ~ '^(mail|steps|single|bulk|activity)_(enqueue|enqueue_many|enqueue_json|claim|claim_json|take|read|read_json|receive|receive_json|ack|nack|extend|release|cancel|cancel_all|redrive|redrive_all|purge|peek|peek_failed|done|seek|subscribe|share|result)(_v1)?$'
    order by p.proname
  loop
    for v_place in 1 .. v_function.pronargs loop
      v_type := v_function.types[v_place - 1]::regtype;
      for v_value in
        select unnest(case v_type
          when 'integer' then '{-1, 0, -2147483648, 2147483647, null}'
          when 'bigint' then '{-1, 0, -9223372036854775808, 9223372036854775807, null}'
          when 'interval' then '{-1 s, 0, 300000 years, -300000 years, 170000000 years, null}'
          when 'timestamp with time zone' then '{-infinity, infinity, null}'
        end::text[])
      loop
        select format('%s(%s)', v_function.proname, string_agg(format('%s => %s', v_function.names[i],
          case
            when i = v_place then format('%L::%s', v_value, v_type)
            when v_function.names[i] = 'p_consumer' and v_function.proname ~ 'receive|subscribe|seek' then quote_literal('audit')
            when v_function.names[i] = 'p_consumer' then quote_literal('crew')
            when v_function.types[i - 1]::regtype::text in ('integer', 'bigint') then '1'
            when v_function.types[i - 1]::regtype::text = 'text[]' then quote_literal('{a}')
            when v_function.types[i - 1] = 'jsonb'::regtype then quote_literal('{"body": "a"}')
            when v_function.types[i - 1] = 'boolean'::regtype then 'false'
            when v_function.types[i - 1] = 'text'::regtype then quote_literal('a')
            when v_function.types[i - 1] = 'double precision'::regtype then '0'
            else 'null'
          end), ', '))
        into v_call
        from generate_series(1, v_function.pronargs) as i
        where i = v_place or v_function.names[i] !~ '^p_(lease|delay|older_than|at|before|headers|result|results|initial|max|backoff)$';
        begin
          execute 'select * from ' || v_call;
          insert into refused values (v_call, 'none');
        exception when others then
          insert into refused values (v_call, sqlstate);
        end;
      end loop;
    end loop;
  end loop;
end
$do$;
)";

}  // namespace

TEST_CASE("numbers and times that make no sense are refused by SQLSTATEs of Quern's own, by every function") {
  test::workshop here{everything};
  here.db.ask(call_all);
  CHECK(here.db.ask(
            "select string_agg(call || ': ' || state, E'\n' order by call) from refused where state !~ '^(none|QN)'") ==
        "null");
  CHECK(here.db.ask("select count(*) > 300, count(*) filter (where state = 'none') > 100, count(*) filter (where state "
                    "= 'QN005') > 50 "
                    "from refused") == "t|t|t");
}

TEST_CASE("times that no calendar holds are refused, and the longest that are taken can be waited for") {
  test::workshop here;
  const std::string too_long = "QN005: a delay cannot be longer than 100000 years";
  for (const auto* call : {"mail_enqueue_v1('a', {})", "mail_enqueue_many_v1('{{a}}', {})",
                           "mail_enqueue_json_v1('{{\"body\": \"a\"}}', {})",
                           "mail_enqueue_json('{{\"body\": \"a\"}}', {})", "mail_nack(1, 1, null, {})"})
    CHECK(here.db.refusal(fmt::format(fmt::runtime("select " + std::string{call}), "'300000 years'")) == too_long);
  CHECK(here.counts() == "0|0|0|0");
  here.db.ask("select mail_enqueue_v1('a', '100000 years')");
  CHECK(here.counts() == "0|1|0|0");

  here.db.send("b");
  const std::string no_lease = "QN005: a lease must be longer than nothing, and 100000 years at most";
  for (const auto* lease : {"300000 years", "-300000 years"}) {
    CHECK(here.db.refusal(fmt::format("select mail_claim_v1(1, '{}')", lease)) == no_lease);
    CHECK(here.db.refusal(fmt::format("select mail_extend(2, 1, '{}')", lease)) == no_lease);
  }
  CHECK(here.db.receive(1, "100000 years").size() == 1);
  CHECK(here.db.refusal("select mail_purge('300000 years')") == "QN005: an age must be from nothing to 100000 years");
}

TEST_CASE("a number of messages to look at, to redrive or to cancel cannot be negative") {
  test::workshop here;
  CHECK(here.db.refusal("select mail_peek(p_count => -1)") == "QN005: a number of messages cannot be negative");
  CHECK(here.db.refusal("select mail_redrive_all(-1)") == "QN005: a number of dead letters cannot be negative");
  if (!test::is_log())
    CHECK(here.db.refusal("select mail_cancel_all(-1)") == "QN005: a number of messages cannot be negative");
}

TEST_CASE("a session whose setting somebody has garbled claims like one that has none") {
  for (const auto* garbled : {"x", "9999999999999999999", "12345678901234567890", "1 2", "0x1"}) {
    for (const std::string order : {"", "ordered_by = \"body\"\n"}) {
      if (test::is_log() && !order.empty()) continue;
      test::workshop here{"[queues.mail]\n" + order +
                          "[queues.mail.payload]\nbody = { type = \"text\", max_length = 20 }\n"};
      here.db.send("a");
      here.db.ask(fmt::format("set quern.session = '{}'", garbled));
      const auto held = here.db.receive_one();
      CHECK(held.body == "a");
      CHECK(here.db.fail(held, "0") == "retry");
      here.db.ask("select quern_worker_begin('mail', null, true)");
      CHECK(here.db.ask("select current_setting('quern.session') ~ '^-?[0-9]+$' and "
                        "current_setting('quern.session')::numeric between "
                        "-9223372036854775808 and 9223372036854775807") == "t");
    }
  }
}
