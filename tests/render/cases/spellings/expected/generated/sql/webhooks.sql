shop shop webhooks 'webhooks' shop.webhooks shop.webhooks v1 'shop.webhooks' 6016467617977762945
interval '30 seconds', 8 attempts, least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())
column payload jsonb not null
webhooks_contract_version_known: contract_version = 1
door of v1 where m.contract_version = 1: m.payload as payload
create sequence shop.webhooks_v1_frontier as bigint minvalue 0;
create sequence shop.webhooks_v1_swept_at as bigint minvalue 0;
create sequence shop.webhooks_v1_produced_at as bigint minvalue 0;
comment on sequence shop.webhooks_v1_frontier is 'The next message id to hand out to consumers of contract v1.';
comment on sequence shop.webhooks_v1_swept_at is 'When a claim of contract v1 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.webhooks_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

v1 d59cbc83200c79c421587f77b6de4eaeb3dc7d8c12fc619906cd8bc623c4398c where m.contract_version = 1 or d.contract_version = 1
schemaless
field payload in payload from m.payload or d.payload

'{"payload": "any"}'
parameter p_payload jsonb
  many: t.payload
  json: p_payload -> 'payload'
parameter p_payload jsonb; many jsonb[]
