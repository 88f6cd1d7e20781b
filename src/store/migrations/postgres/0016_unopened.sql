-- Accounts of connections whose opening is not made, or not for good. One that is not here is not to
-- be opened any more.
create table unopened (
    account_id bigint not null primary key references accounts (id),
    what text collate "C" not null check (what in ('all', 'cash', 'early')),
    checksum bigint not null
);
