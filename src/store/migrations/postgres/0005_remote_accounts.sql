-- Which account an account of a connection is here, by the id that its provider gives it: two
-- connections may give the same one to accounts that have nothing to do with each other.
create table remote_accounts (
    connection_id bigint not null references connections (id),
    remote_id text collate "C" not null,
    account_id bigint not null references accounts (id),
    primary key (connection_id, remote_id)
);
create index remote_accounts_account on remote_accounts (account_id);
