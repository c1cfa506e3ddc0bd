shop shop webhooks 'webhooks' shop.webhooks shop.webhooks v1 'shop.webhooks' 6016467617977762945
interval '30 seconds', 8 attempts, least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())
schemaless
'{"payload": "any"}'
column payload jsonb not null
  many: t.payload
  json: p_payload -> 'payload'
parameter p_payload jsonb; many jsonb[]
