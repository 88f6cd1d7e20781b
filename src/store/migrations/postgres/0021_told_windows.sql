-- What a service told of a span of time while a first history is asked for: one that was cut off goes on
-- where it stopped. Gone as soon as all of it is stored as rows.
create table told_windows (
    connection_id bigint not null references connections (id),
    remote_id text not null,
    first bigint not null,
    last bigint not null,
    told text not null,
    checksum bigint not null,
    primary key (connection_id, remote_id, first)
);
