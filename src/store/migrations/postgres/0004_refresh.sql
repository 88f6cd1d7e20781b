-- Who refreshes this store. The lock itself is a file beside the store, or the server's; this row
-- only says who holds it, so that others can name them.
create table refresher (
    id bigint primary key check (id = 1),
    host text collate "C" not null,
    pid bigint not null,
    since bigint not null
);

-- How it went when a part of what a connection brings was fetched last.
create table refreshes (
    connection_id bigint not null references connections (id),
    part text collate "C" not null,
    attempted bigint not null,
    succeeded bigint,
    failures bigint not null,
    why text collate "C",
    next_attempt bigint,
    primary key (connection_id, part)
);

-- The newest price from within a day, of each source. It serves on its day only; what a day closed
-- at is in `prices`.
create table ticks (
    security_id bigint not null references securities (id),
    source text collate "C" not null,
    at bigint not null,
    date date not null,
    currency text collate "C" not null,
    price numeric not null,
    checksum bigint not null,
    primary key (security_id, source)
);
