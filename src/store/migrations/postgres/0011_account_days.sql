-- What an account was worth at the end of each day and what happened to it, as performance tells
-- it. True of one revision of the store and up to one day: a write that touches later days alone
-- carries it over, any other leaves it behind.
create table account_days (
    account_id bigint not null primary key,
    revision bigint not null,
    through date not null,
    days bytea not null
);
