-- The group of what is watched, and the price that is waited for, in units of the day it was said.
alter table watchlist add column list text;
alter table watchlist add column target text;
alter table watchlist add column units_of text;

-- What an alert is of (none: the price), the day whose units its bound counts, until when it is
-- silent, and the day of what it was that took it past its bound (none: it is not past it).
alter table alerts add column what text check (what in ('change', 'stale', 'value', 'weight'));
alter table alerts add column units_of text;
alter table alerts add column snoozed text;
alter table alerts add column crossed text;

-- Each time that something went past its bound, with what was seen. It outlives its alert.
create table alert_log (
    id integer primary key,
    security_id integer not null references securities (id),
    at integer not null,
    what text not null,
    direction text not null,
    bound text not null,
    seen text not null,
    seen_on text not null,
    source text,
    currency text,
    checksum integer not null
) strict;
