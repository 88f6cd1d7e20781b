-- What connections keep secret, sealed with age for the machines that may open it. The newest
-- generation counts; the one before it is kept until the next.
create table secrets (
    connection_id integer not null references connections (id),
    generation integer not null check (generation > 0),
    sealed_at integer not null,
    -- Since when it is being exchanged for the next one. One that serves once must never be presented
    -- again from then on.
    presented integer,
    serves_once integer not null check (serves_once in (0, 1)),
    sealed_for text not null,
    sealed blob not null,
    checksum integer not null,
    primary key (connection_id, generation)
) strict, without rowid;

-- When requests were sent whose number a service limits, in microseconds, oldest first: what was
-- used before a restart counts after it.
create table quotas (
    name text not null primary key,
    used text not null
) strict, without rowid;
