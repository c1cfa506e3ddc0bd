-- quern migration: core/0001_create
-- The objects that every queue of the project shares.
--
-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create type shop.channel as enum ('email', 'sms', 'push');
comment on type shop.channel is 'How a customer is reached.';

-- One row a queue. Its number is the beginning of its message ids, which are therefore unique across the project:
-- queue 2 hands out 20000000000001, 20000000000002, …
create table shop.quern_queue (
  queue text not null,
  number integer not null,
  paused_at timestamptz,
  constraint quern_queue_key primary key (queue),
  constraint quern_queue_number_unique unique (number)
);
comment on table shop.quern_queue is 'The queues of this project and whether they are paused.';

create table shop.quern_contract (
  queue text not null,
  version integer not null,
  fingerprint text not null,
  constraint quern_contract_key primary key (queue, version)
);
comment on table shop.quern_contract is 'The contracts that programs may speak, each with the fingerprint of its fields.';

create function shop.quern_handshake(p_queue text, p_version integer, p_fingerprint text)
returns void
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_fingerprint text;
begin
  select c.fingerprint
  into v_fingerprint
  from shop.quern_contract as c
  where c.queue = p_queue
    and c.version = p_version;

  if not found then
    raise exception using
      errcode = 'QN001',
      message = format('the database does not know contract v%s of queue "%s"', p_version, p_queue),
      hint = 'Apply the migrations that belong to this program.';
  elsif v_fingerprint is distinct from p_fingerprint then
    raise exception using
      errcode = 'QN001',
      message = format('contract v%s of queue "%s" is not the same in this program and in the database', p_version, p_queue),
      detail = format('The program has fingerprint %s, the database %s.', p_fingerprint, v_fingerprint),
      hint = 'Generate the headers again from the declaration that the database was migrated with.';
  end if;
end
$$;
comment on function shop.quern_handshake(text, integer, text) is 'Fails with QN001 unless the database has this contract.';
revoke all on function shop.quern_handshake(text, integer, text) from public;

create function shop.quern_check_payload(p_queue text, p_payload jsonb, p_contract jsonb)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problems text;
begin
  if jsonb_typeof(p_payload) is distinct from 'object' then
    raise exception using
      errcode = 'QN003',
      message = format('the payload for queue "%s" must be a JSON object', p_queue);
  end if;

  select string_agg(f.problem, ' ' order by f.field)
  into v_problems
  from (
    select
      c.key,
      case
        when not p_payload ? c.key then format('Field "%s" is missing.', c.key)
        else format('Field "%s" must be of type %s, not %s.', c.key, rtrim(c.value, '?'), jsonb_typeof(p_payload -> c.key))
      end
    from jsonb_each_text(p_contract) as c
    where case
        when coalesce(p_payload -> c.key, 'null') = 'null' then c.value not like '%?'
        else rtrim(c.value, '?') not in ('any', jsonb_typeof(p_payload -> c.key))
      end
    union all
    select k.field, format('There is no field "%s".', k.field)
    from jsonb_object_keys(p_payload) as k(field)
    where not p_contract ? k.field
  ) as f(field, problem);

  if v_problems is not null then
    raise exception using
      errcode = 'QN003',
      message = format('the payload does not fit the contract of queue "%s"', p_queue),
      detail = v_problems;
  end if;
end
$$;
comment on function shop.quern_check_payload(text, jsonb, jsonb) is 'Fails with QN003 and every problem of an untyped payload.';
revoke all on function shop.quern_check_payload(text, jsonb, jsonb) from public;

create function shop.quern_queue_of(p_message_id bigint)
returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  select q.queue
  from shop.quern_queue as q
  where q.number = (p_message_id - 1) / 10000000000000;
end;
comment on function shop.quern_queue_of(bigint) is 'The queue that a message id belongs to.';
revoke all on function shop.quern_queue_of(bigint) from public;

-- The untyped doors run with the rights of their caller: whoever may not use a queue's own functions cannot use them here.
create or replace function shop.queue_enqueue(p_queue text, p_payload jsonb, p_delay interval default null)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  case p_queue
    when 'email' then
      return shop.email_enqueue_json_v1(p_payload, p_delay);
    when 'webhooks' then
      return shop.webhooks_enqueue_json_v1(p_payload, p_delay);
    else
      raise exception using
        errcode = 'QN002',
        message = format('there is no queue "%s"', p_queue);
  end case;
end
$$;
comment on function shop.queue_enqueue(text, jsonb, interval) is 'Enqueues a JSON payload after checking it against the contract of the queue; returns the message id.';
revoke all on function shop.queue_enqueue(text, jsonb, interval) from public;

create or replace function shop.queue_dequeue(p_queue text)
returns table (message_id bigint, attempt integer, enqueued_at timestamptz, payload jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  case p_queue
    when 'email' then
      return query select * from shop.email_claim_json_v1();
    when 'webhooks' then
      return query select * from shop.webhooks_claim_json_v1();
    else
      raise exception using
        errcode = 'QN002',
        message = format('there is no queue "%s"', p_queue);
  end case;
end
$$;
comment on function shop.queue_dequeue(text) is 'Claims the next message of a queue, or returns no row.';
revoke all on function shop.queue_dequeue(text) from public;

create or replace function shop.queue_ack(p_message_id bigint, p_attempt integer default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  case shop.quern_queue_of(p_message_id)
    when 'email' then
      return shop.email_ack(p_message_id, coalesce(p_attempt, shop.email_attempt(p_message_id)));
    when 'webhooks' then
      return shop.webhooks_ack(p_message_id, coalesce(p_attempt, shop.webhooks_attempt(p_message_id)));
    else
      return false;
  end case;
end
$$;
comment on function shop.queue_ack(bigint, integer) is 'Ends a claimed message, of the given attempt or the present one; false when that attempt has ended before.';
revoke all on function shop.queue_ack(bigint, integer) from public;
