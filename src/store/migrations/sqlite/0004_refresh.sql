-- Who refreshes this store. The lock itself is a file beside the store, or the server's; this row
-- only says who holds it, so that others can name them.
create table refresher (
    id integer primary key check (id = 1),
    host text not null,
    pid integer not null,
    since integer not null
) strict;

-- How it went when a part of what a connection brings was fetched last.
create table refreshes (
    connection_id integer not null references connections (id),
    part text not null,
    attempted integer not null,
    succeeded integer,
    failures integer not null,
    why text,
    next_attempt integer,
    primary key (connection_id, part)
) strict, without rowid;

-- The newest price from within a day, of each source. It serves on its day only; what a day closed
-- at is in `prices`.
create table ticks (
    security_id integer not null references securities (id),
    source text not null,
    at integer not null,
    date text not null,
    currency text not null,
    price text not null,
    checksum integer not null,
    primary key (security_id, source)
) strict, without rowid;
