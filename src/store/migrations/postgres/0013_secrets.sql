-- What connections keep secret, sealed with age for the machines that may open it. The newest
-- generation counts; the one before it is kept until the next.
create table secrets (
    connection_id bigint not null references connections (id),
    generation bigint not null check (generation > 0),
    sealed_at bigint not null,
    -- Since when it is being exchanged for the next one. One that serves once must never be presented
    -- again from then on.
    presented bigint,
    serves_once boolean not null,
    sealed_for text collate "C" not null,
    sealed bytea not null,
    checksum bigint not null,
    primary key (connection_id, generation)
);

-- When requests were sent whose number a service limits, in microseconds, oldest first: what was
-- used before a restart counts after it.
create table quotas (
    name text collate "C" not null primary key,
    used text collate "C" not null
);
