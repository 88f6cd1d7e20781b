-- A page of lots is half a year now, so that a past day is not far from the page before it.
drop table lot_pages;
create table lot_pages (
    group_id integer not null,
    half integer not null,
    first_day text not null,
    last_day text not null,
    events blob not null,
    closing blob not null,
    findings blob not null,
    primary key (group_id, half)
) strict;

-- A row here: the figures are not kept as this program does, and are made again before anybody sees
-- them. A migration that changes how they are kept adds one.
create table figures_due (
    schema integer not null
) strict;
insert into figures_due select 3 where exists (select 1 from transactions);
