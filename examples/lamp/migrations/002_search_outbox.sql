-- An event waits here until the search index has it, so that a slow start of Elasticsearch loses nothing.
alter table events add column indexed boolean not null default false;
create index events_to_index on events (id) where not indexed;
