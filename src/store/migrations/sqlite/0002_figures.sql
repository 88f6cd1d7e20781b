-- Derived from the facts, never a fact: everything here can be made again from the rows. Whoever
-- writes rows keeps it beside them, so that a question need not read a million of them.

-- Securities that corporate actions or options join and that must be looked at together; one that
-- is not here is alone.
create table lot_groups (
    security_id integer primary key,
    group_id integer not null
) strict;

-- A year of a group: its rows as the lots see them, the lots at the end of the year, and what was
-- found on the way.
create table lot_pages (
    group_id integer not null,
    year integer not null,
    first_day text not null,
    last_day text not null,
    events blob not null,
    closing blob not null,
    findings blob not null,
    primary key (group_id, year)
) strict;

-- What the rows so far leave of a security in an account.
create table positions (
    account_id integer not null,
    security_id integer not null,
    group_id integer not null,
    figures blob not null,
    primary key (account_id, security_id)
) strict, without rowid;
create index positions_group on positions (group_id);

-- A year of an account's cash: what it began with, and the change of each day.
create table cash_years (
    account_id integer not null,
    currency text not null,
    year integer not null,
    opening text not null,
    days blob not null,
    primary key (account_id, currency, year)
) strict, without rowid;

-- Money between two own accounts: gone from one, not yet in the other.
create table cash_transit (
    link text not null,
    place integer not null,
    leaves text not null,
    arrives text not null,
    currency text not null,
    amount text not null,
    primary key (link, place)
) strict, without rowid;

-- Prices from before a split count other units than those from after it.
create index transactions_splits on transactions (trade_date) where subtype = 'split';

-- Moves that may be one half of a move between two own accounts.
create index transactions_moves on transactions (trade_date) where link is null and subtype in
    ('deposit', 'withdrawal', 'wire_in', 'wire_out', 'transfer_in', 'transfer_out', 'internal', 'journal');

-- What is not settled yet is marked wherever it shows.
create index transactions_pending on transactions (trade_date) where status = 'pending';
