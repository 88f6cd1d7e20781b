-- What a service told of a span of time while a first history is asked for: one that was cut off goes on
-- where it stopped. Gone as soon as all of it is stored as rows.
create table told_windows (
    connection_id integer not null references connections (id),
    remote_id text not null,
    first integer not null,
    last integer not null,
    told text not null,
    checksum integer not null,
    primary key (connection_id, remote_id, first)
) strict, without rowid;
