-- Accounts of connections whose opening is not made, or not for good. One that is not here is not to
-- be opened any more.
create table unopened (
    account_id integer not null primary key references accounts (id),
    what text not null check (what in ('all', 'cash', 'early')),
    checksum integer not null
) strict;
