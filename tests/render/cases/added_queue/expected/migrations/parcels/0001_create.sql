-- quern migration: parcels/0001_create
-- Creates queue parcels: its tables, its functions for contract v1 and the rights on them.

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

-- creates parcels

-- reverse
lock table shop.parcels_message, shop.parcels_delayed, shop.parcels_dead in access exclusive mode;

do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.parcels_message as m where true
    union all
    select m.message_id from shop.parcels_delayed as m where true
    union all
    select m.message_id from shop.parcels_dead as m where true
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "parcels" %s', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let its consumers handle them, and purge its dead letters.';
  end if;
end
$$;

drop view shop.parcels;
drop function
  shop.parcels_enqueue_json_v1, shop.parcels_enqueue_many_v1, shop.parcels_enqueue_v1, shop.parcels_wake_v1,
  shop.parcels_claim_json_v1, shop.parcels_claim_v1, shop.parcels_take_v1, shop.parcels_pick_v1, shop.parcels_next_due_v1,
  shop.parcels_redrive, shop.parcels_redrive_all, shop.parcels_purge,
  shop.parcels_wake, shop.parcels_enqueue_json, shop.parcels_claim_json, shop.parcels_door,
  shop.parcels_advance_low_water, shop.parcels_free_dead, shop.parcels_bury, shop.parcels_retry_delay,
  shop.parcels_ack, shop.parcels_ack_many, shop.parcels_nack, shop.parcels_extend, shop.parcels_release, shop.parcels_attempt, shop.parcels_cancel, shop.parcels_cancel_all, shop.parcels_peek,
  shop.parcels_stats, shop.parcels_pause, shop.parcels_resume;
drop table shop.parcels_message, shop.parcels_delayed, shop.parcels_dead;
drop sequence shop.parcels_message_id, shop.parcels_low_water, shop.parcels_mark, shop.parcels_mark_xid;
drop sequence shop.parcels_v1_frontier, shop.parcels_v1_swept_at, shop.parcels_v1_produced_at;
delete from shop.quern_contract where queue = 'parcels';
delete from shop.quern_client where queue = 'parcels';
delete from shop.quern_queue where queue = 'parcels';
