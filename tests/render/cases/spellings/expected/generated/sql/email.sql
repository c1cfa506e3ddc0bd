shop shop email 'email' shop.email shop.email v1 'shop.email' 442101236578160834
doc 'Mail.'
interval '30 seconds', 8 attempts, least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())
dead letters
produce web, api; consume mailer; operate ops; all api, mailer, ops, web = api, mailer, ops, web
'{"flag": "boolean?", "small": "number?", "whole": "number", "large": "number", "single": "any?", "real": "any?", "exact": "any?", "words": "string", "octets": "string", "id": "string", "day": "string?", "moment": "string", "span": "string?", "detail": "any?", "channel": "string?", "ids": "array", "labels": "array?", "details": "array?"}'
column flag boolean default true not null, 
  many: coalesce(t.flag, true)
  json: coalesce((p_payload ->> 'flag')::boolean, true)
column small smallint default -1 not null, 
  many: coalesce(t.small, '-1'::smallint)
  json: coalesce((p_payload ->> 'small')::smallint, '-1'::smallint)
column whole integer not null, 
  many: t.whole
  json: (p_payload ->> 'whole')::integer
column large bigint not null, 
  many: t.large
  json: (p_payload ->> 'large')::bigint
column single real default '0.1'::real not null, 
  many: coalesce(t.single, '0.1'::real)
  json: coalesce((p_payload ->> 'single')::real, '0.1'::real)
column "real" double precision, 
  many: t."real"
  json: (p_payload ->> 'real')::double precision
column exact numeric(12,2) default 12.50 not null, 
  many: coalesce(t.exact, 12.50)
  json: coalesce((p_payload ->> 'exact')::numeric(12,2), 12.50)
column words text not null, 
  many: t.words
  json: p_payload ->> 'words'
column octets bytea not null, 
  many: t.octets
  json: (p_payload ->> 'octets')::bytea
column id uuid not null, 
  many: t.id
  json: (p_payload ->> 'id')::uuid
column day date default '2026-11-21' not null, 
  many: coalesce(t.day, '2026-11-21')
  json: coalesce((p_payload ->> 'day')::date, '2026-11-21')
column moment timestamptz not null, 
  many: t.moment
  json: (p_payload ->> 'moment')::timestamptz
column span interval default 'PT1H30M' not null, 
  many: coalesce(t.span, 'PT1H30M')
  json: coalesce((p_payload ->> 'span')::interval, 'PT1H30M')
column detail jsonb, 
  many: t.detail
  json: nullif(p_payload -> 'detail', 'null')
column channel shop.channel default 'email' not null, 
  many: coalesce(t.channel, 'email')
  json: coalesce((p_payload ->> 'channel')::shop.channel, 'email')
column ids uuid[] not null, 
  many: t.ids::uuid[]
  json: case when jsonb_typeof(p_payload -> 'ids') = 'array' then array(select e.value::uuid from jsonb_array_elements_text(p_payload -> 'ids') with ordinality as e(value, place) order by e.place) end
column labels text[] default '{}' not null, 
  many: coalesce(t.labels::text[], '{}')
  json: coalesce(case when jsonb_typeof(p_payload -> 'labels') = 'array' then array(select e.value::text from jsonb_array_elements_text(p_payload -> 'labels') with ordinality as e(value, place) order by e.place) end, '{}')
column details jsonb[]
  many: t.details::jsonb[]
  json: case when jsonb_typeof(p_payload -> 'details') = 'array' then array(select e.value from jsonb_array_elements(p_payload -> 'details') with ordinality as e(value, place) order by e.place) end
parameter p_whole integer; many integer[]
parameter p_large bigint; many bigint[]
parameter p_words text; many text[]
parameter p_octets bytea; many bytea[]
parameter p_id uuid; many uuid[]
parameter p_moment timestamptz; many timestamptz[]
parameter p_ids uuid[]; many text[]
parameter p_flag boolean default true; many boolean[] default null
parameter p_small smallint default -1; many smallint[] default null
parameter p_single real default '0.1'::real; many real[] default null
parameter p_real double precision default null; many double precision[] default null
parameter p_exact numeric(12,2) default 12.50; many numeric(12,2)[] default null
parameter p_day date default '2026-11-21'; many date[] default null
parameter p_span interval default 'PT1H30M'; many interval[] default null
parameter p_detail jsonb default null; many jsonb[] default null
parameter p_channel shop.channel default 'email'; many shop.channel[] default null
parameter p_labels text[] default '{}'; many text[] default null
parameter p_details jsonb[] default null; many text[] default null
email_whole_min: whole >= 0
email_whole_max: whole <= 10
email_single_min: single >= '0.1'::real
email_words_max_length: char_length(words) <= 320
email_words_pattern: words ~ E'^\\S+$'
email_octets_max_length: octet_length(octets) <= 5
email_ids_max_length: cardinality(ids) <= 3
email_ids_one_dimension: coalesce(array_ndims(ids), 1) = 1 and coalesce(array_lower(ids, 1), 1) = 1
email_ids_no_nulls: array_ndims(ids) > 1 or array_position(ids, null) is null
email_labels_one_dimension: coalesce(array_ndims(labels), 1) = 1 and coalesce(array_lower(labels, 1), 1) = 1
email_details_one_dimension: coalesce(array_ndims(details), 1) = 1 and coalesce(array_lower(details, 1), 1) = 1
email_details_no_nulls: array_ndims(details) > 1 or array_position(details, null) is null
