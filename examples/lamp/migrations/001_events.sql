-- What the lamp did: the history on the page and the source of the search index.
create table events (
    id         bigint generated always as identity primary key,
    at         timestamptz not null default now(),
    kind       text not null,
    text       text not null,
    visitor    text not null,
    brightness smallint not null check (brightness between 0 and 100),
    color      text not null check (color ~ '^#[0-9a-f]{6}$')
);
