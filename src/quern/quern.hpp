#pragma once

// The run-time library of Quern; it needs libpq alone. Guide to headers, from the outside in:
//
// What generated headers and their users meet
//   producer.hpp      enqueue: one message, a batch in one round trip, a range of any length; what was a duplicate
//   consumer.hpp      claim, take, ack, nack, extend, release; failed_attempt.hpp: what becomes of what was not done
//   message_result.hpp  what became of a message, for who asks or waits
//   message.hpp       a payload with its id, attempt and times
//   stream_producer.hpp  stream_reader.hpp  stream_consumer.hpp  event.hpp  seal.hpp   the same of streams
//   cooperative_consumer.hpp   one of many workers that share the cursor of a stream's consumer
//   worker.hpp        claim, handle, acknowledge until told to stop, with as many threads as are wanted
//   worker_options.hpp  worker_log.hpp  reconnect.hpp   how it does so, and what it tells; worker_handler.hpp: to whom
//   stop_on_signals.hpp   until SIGTERM; registration.hpp: so that operators see it
//   work_line.hpp  handler_call.hpp  worker_state.hpp   a thread of it, and what they share
//   heartbeat.hpp     how slow handlers keep their messages; claim_token.hpp, server_clock.hpp
//   waiting.hpp       how it waits; interruption.hpp: and is woken
//   contract.hpp      what generated code says of a queue or stream
//
// The values of fields
//   uuid.hpp  time.hpp (timestamp, date, interval)  numeric.hpp  json.hpp  enumeration.hpp
//
// The database
//   connection.hpp    a session: execute, prepared statements, scripts, notifications, cancelling
//   connection_string.hpp  another database of the same server, another session like this one
//   transaction.hpp   begin, commit, and the rollback that nobody has to write
//   result.hpp        rows and their columns
//   error.hpp         what failed and what can be done about it; sqlstate.hpp: the codes
//   pipeline.hpp      many statements in one round trip; copy_in.hpp: rows in bulk
//   codec.hpp         C++ values in PostgreSQL's binary format; array.hpp, parameters.hpp, wire.hpp below it

#include <quern/array.hpp>
#include <quern/claim_token.hpp>
#include <quern/codec.hpp>
#include <quern/connection.hpp>
#include <quern/connection_string.hpp>
#include <quern/consumer.hpp>
#include <quern/contract.hpp>
#include <quern/cooperative_consumer.hpp>
#include <quern/copy_in.hpp>
#include <quern/enumeration.hpp>
#include <quern/error.hpp>
#include <quern/event.hpp>
#include <quern/failed_attempt.hpp>
#include <quern/handler_call.hpp>
#include <quern/heartbeat.hpp>
#include <quern/interruption.hpp>
#include <quern/json.hpp>
#include <quern/look_on.hpp>
#include <quern/message.hpp>
#include <quern/message_result.hpp>
#include <quern/numeric.hpp>
#include <quern/parameters.hpp>
#include <quern/pipeline.hpp>
#include <quern/producer.hpp>
#include <quern/reconnect.hpp>
#include <quern/registration.hpp>
#include <quern/result.hpp>
#include <quern/seal.hpp>
#include <quern/server_clock.hpp>
#include <quern/sqlstate.hpp>
#include <quern/stop_on_signals.hpp>
#include <quern/stream_consumer.hpp>
#include <quern/stream_producer.hpp>
#include <quern/stream_reader.hpp>
#include <quern/time.hpp>
#include <quern/transaction.hpp>
#include <quern/uuid.hpp>
#include <quern/waiting.hpp>
#include <quern/wire.hpp>
#include <quern/work_line.hpp>
#include <quern/worker.hpp>
#include <quern/worker_handler.hpp>
#include <quern/worker_log.hpp>
#include <quern/worker_options.hpp>
#include <quern/worker_state.hpp>
