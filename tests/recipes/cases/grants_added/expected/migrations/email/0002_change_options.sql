-- quern migration: email/0002_change_options
-- Changes queue email: changes grants.consume; changes grants.operate; changes grants.produce.
-- roles: Web-App, mailer, ops, web

-- step: rights
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
from public;
grant execute on function
  shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
to mailer;
grant select on sequence shop.email_v1_swept_at to ops;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to web, "Web-App";
grant insert (contract_version, order_id, subject) on shop.email_message to web, "Web-App";
grant select on sequence shop.email_v1_produced_at to ops;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to "Web-App", mailer, ops, web;
grant execute on function shop.quern_handshake to "Web-App", mailer, ops, web;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to web, "Web-App";
grant usage on sequence shop.email_message_id to web, "Web-App";
grant insert on shop.email to web, "Web-App";
grant execute on function
  shop.email_claim_json,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.email to mailer;
grant execute on function
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_cancel_all, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.quern_workers
to ops;
grant select on shop.email_message, shop.email_delayed, shop.email_dead to ops;
grant select on shop.quern_contract, shop.quern_client to ops;

-- reverse
revoke execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1 from "Web-App";
revoke insert (contract_version, order_id, subject) on shop.email_message from "Web-App";
revoke usage on sequence shop.email_message_id from "Web-App";
revoke insert on shop.email from "Web-App";
revoke execute on function shop.email_claim_json, shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1 from mailer;
revoke select, update, delete on shop.email from mailer;
revoke select on sequence shop.email_v1_produced_at, shop.email_v1_swept_at from ops;
revoke execute on function shop.email_redrive, shop.email_redrive_all, shop.email_purge, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.email_cancel_all from ops;
revoke select on shop.email_message, shop.email_delayed, shop.email_dead from ops;

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
from public;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to web;
grant insert (contract_version, order_id, subject) on shop.email_message to web;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to web;
grant execute on function shop.quern_handshake to web;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to web;
grant usage on sequence shop.email_message_id to web;
grant insert on shop.email to web;
