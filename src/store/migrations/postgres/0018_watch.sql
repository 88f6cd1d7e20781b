-- The group of what is watched, and the price that is waited for, in units of the day it was said.
alter table watchlist add column list text collate "C";
alter table watchlist add column target numeric;
alter table watchlist add column units_of date;

-- What an alert is of (none: the price), the day whose units its bound counts, until when it is
-- silent, and the day of what it was that took it past its bound (none: it is not past it).
alter table alerts add column what text collate "C"
    check (what in ('change', 'stale', 'value', 'weight'));
alter table alerts add column units_of date;
alter table alerts add column snoozed date;
alter table alerts add column crossed date;

-- Each time that something went past its bound, with what was seen. It outlives its alert.
create table alert_log (
    id bigint primary key,
    security_id bigint not null references securities (id),
    at bigint not null,
    what text collate "C" not null,
    direction text collate "C" not null,
    bound numeric not null,
    seen numeric not null,
    seen_on date not null,
    source text collate "C",
    currency text collate "C",
    checksum bigint not null
);
