shop shop email 'email' shop.email shop.email v1 'shop.email' 442101236578160834
doc 'Mail.'
interval '30 seconds', 8 attempts, least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())
dead letters
produce web, api; consume mailer; operate ops; all api, mailer, ops, web
column flag boolean default true not null
column small smallint default -1 not null
column whole integer not null
column large bigint not null
column single real default '0.1'::real not null
column "real" double precision
column exact numeric(12,2) default 12.50 not null
column words text not null
column octets bytea not null
column id uuid not null
column day date default '2026-11-21' not null
column moment timestamptz not null
column span interval default 'PT1H30M' not null
column detail jsonb
column channel shop.channel default 'email' not null
column ids uuid[] not null
column labels text[] default '{}' not null
column details jsonb[]
email_whole_min: whole >= 0,
email_whole_max: whole <= 10,
email_single_min: single >= '0.1'::real,
email_words_max_length: char_length(words) <= 320,
email_words_pattern: words ~ E'^\\S+$',
email_octets_max_length: octet_length(octets) <= 5,
email_ids_max_length: cardinality(ids) <= 3,
email_ids_one_dimension: coalesce(array_ndims(ids), 1) = 1 and coalesce(array_lower(ids, 1), 1) = 1,
email_ids_no_nulls: array_ndims(ids) > 1 or array_position(ids, null) is null,
email_labels_one_dimension: coalesce(array_ndims(labels), 1) = 1 and coalesce(array_lower(labels, 1), 1) = 1,
email_details_one_dimension: coalesce(array_ndims(details), 1) = 1 and coalesce(array_lower(details, 1), 1) = 1,
email_details_no_nulls: array_ndims(details) > 1 or array_position(details, null) is null,
email_contract_version_known: contract_version = 1
door of v1 where m.contract_version = 1: m.flag as flag, m.small as small, m.whole as whole, m.large as large, m.single as single, m."real" as "real", m.exact as exact, m.words as words, m.octets as octets, m.id as id, m.day as day, m.moment as moment, m.span as span, m.detail as detail, m.channel as channel, m.ids as ids, m.labels as labels, m.details as details
create sequence shop.email_v1_frontier as bigint minvalue 0;
create sequence shop.email_v1_swept_at as bigint minvalue 0;
create sequence shop.email_v1_produced_at as bigint minvalue 0;
comment on sequence shop.email_v1_frontier is 'The next message id to hand out to consumers of contract v1.';
comment on sequence shop.email_v1_swept_at is 'When a claim of contract v1 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.email_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

v1 60d95d39acfc9bdcd7605d70d1795ae97f161f32f3a1c06382a755ddd80ed73d where m.contract_version = 1 or d.contract_version = 1
field flag in flag from m.flag or d.flag
field small in small from m.small or d.small
field whole in whole from m.whole or d.whole
field large in large from m.large or d.large
field single in single from m.single or d.single
field "real" in "real" from m."real" or d."real"
field exact in exact from m.exact or d.exact
field words in words from m.words or d.words
field octets in octets from m.octets or d.octets
field id in id from m.id or d.id
field day in day from m.day or d.day
field moment in moment from m.moment or d.moment
field span in span from m.span or d.span
field detail in detail from m.detail or d.detail
field channel in channel from m.channel or d.channel
field ids in ids from m.ids or d.ids
field labels in labels from m.labels or d.labels
field details in details from m.details or d.details

'{"flag": "boolean?", "small": "number?", "whole": "number", "large": "number", "single": "any?", "real": "any?", "exact": "any?", "words": "string", "octets": "string", "id": "string", "day": "string?", "moment": "string", "span": "string?", "detail": "any?", "channel": "string?", "ids": "array", "labels": "array?", "details": "array?"}'
parameter p_flag boolean, 
  many: coalesce(t.flag, true)
  json: coalesce((p_payload ->> 'flag')::boolean, true)
parameter p_small smallint, 
  many: coalesce(t.small, '-1'::smallint)
  json: coalesce((p_payload ->> 'small')::smallint, '-1'::smallint)
parameter p_whole integer, 
  many: t.whole
  json: (p_payload ->> 'whole')::integer
parameter p_large bigint, 
  many: t.large
  json: (p_payload ->> 'large')::bigint
parameter p_single real, 
  many: coalesce(t.single, '0.1'::real)
  json: coalesce((p_payload ->> 'single')::real, '0.1'::real)
parameter p_real double precision, 
  many: t."real"
  json: (p_payload ->> 'real')::double precision
parameter p_exact numeric(12,2), 
  many: coalesce(t.exact, 12.50)
  json: coalesce((p_payload ->> 'exact')::numeric(12,2), 12.50)
parameter p_words text, 
  many: t.words
  json: p_payload ->> 'words'
parameter p_octets bytea, 
  many: t.octets
  json: (p_payload ->> 'octets')::bytea
parameter p_id uuid, 
  many: t.id
  json: (p_payload ->> 'id')::uuid
parameter p_day date, 
  many: coalesce(t.day, '2026-11-21')
  json: coalesce((p_payload ->> 'day')::date, '2026-11-21')
parameter p_moment timestamptz, 
  many: t.moment
  json: (p_payload ->> 'moment')::timestamptz
parameter p_span interval, 
  many: coalesce(t.span, 'PT1H30M')
  json: coalesce((p_payload ->> 'span')::interval, 'PT1H30M')
parameter p_detail jsonb, 
  many: t.detail
  json: nullif(p_payload -> 'detail', 'null')
parameter p_channel shop.channel, 
  many: coalesce(t.channel, 'email')
  json: coalesce((p_payload ->> 'channel')::shop.channel, 'email')
parameter p_ids uuid[], 
  many: t.ids::uuid[]
  json: case when jsonb_typeof(p_payload -> 'ids') = 'array' then array(select e.value::uuid from jsonb_array_elements_text(p_payload -> 'ids') with ordinality as e(value, place) order by e.place) end
parameter p_labels text[], 
  many: coalesce(t.labels::text[], '{}')
  json: coalesce(case when jsonb_typeof(p_payload -> 'labels') = 'array' then array(select e.value::text from jsonb_array_elements_text(p_payload -> 'labels') with ordinality as e(value, place) order by e.place) end, '{}')
parameter p_details jsonb[]
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
