-- Connections that their owner lets rest, and since when: nothing is asked of them meanwhile.
create table paused (
    connection_id bigint not null primary key references connections (id),
    since bigint not null,
    checksum bigint not null
);
