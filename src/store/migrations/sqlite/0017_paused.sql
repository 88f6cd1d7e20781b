-- Connections that their owner lets rest, and since when: nothing is asked of them meanwhile.
create table paused (
    connection_id integer not null primary key references connections (id),
    since integer not null,
    checksum integer not null
) strict;
