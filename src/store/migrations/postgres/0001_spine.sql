-- The first schema. Decimals are exact numerics; instants are microseconds since the epoch; days are
-- dates. `checksum` covers the other columns of its row, so that silent damage is found.

create table store_state (
    id bigint primary key check (id = 1),
    revision bigint not null,
    next_id bigint not null
);
insert into store_state (id, revision, next_id) values (1, 0, 1);

create table applied_ops (
    op_id text collate "C" primary key,
    action text collate "C" not null,
    at bigint not null,
    revision bigint not null
);

create table settings (
    key text collate "C" primary key,
    value text collate "C" not null,
    checksum bigint not null
);

create table institutions (
    id bigint primary key,
    name text collate "C" not null unique,
    batch_id bigint,
    checksum bigint not null
);

create table connections (
    id bigint primary key,
    provider text collate "C" not null,
    label text collate "C" not null unique,
    state text collate "C" not null,
    state_since bigint not null,
    consent_expires bigint,
    detail text collate "C",
    checksum bigint not null
);

create table batches (
    id bigint primary key,
    op_id text collate "C" not null,
    created bigint not null,
    undone bigint
);

create table batch_files (
    batch_id bigint not null references batches (id),
    file_no bigint not null,
    path text collate "C" not null,
    format text collate "C" not null,
    digest text collate "C" not null,
    bytes bigint not null,
    rows bigint not null,
    new bigint not null,
    duplicate bigint not null,
    changed bigint not null,
    conflict bigint not null,
    refused bigint not null,
    primary key (batch_id, file_no)
);

-- Rows of a batch that were not simply stored: refused, in conflict, or waiting for a decision.
create table staged_rows (
    batch_id bigint not null references batches (id),
    file_no bigint not null,
    line bigint not null,
    part bigint not null,
    verdict text collate "C" not null,
    transaction_id bigint,
    problem_column text collate "C",
    why text collate "C",
    raw text collate "C" not null,
    primary key (batch_id, file_no, line, part)
);

create table accounts (
    id bigint primary key,
    name text collate "C" not null unique,
    kind text collate "C" not null,
    currency text collate "C" not null,
    mode text collate "C" not null,
    method text collate "C",
    institution_id bigint references institutions (id),
    connection_id bigint references connections (id),
    closed date,
    derived boolean not null,
    batch_id bigint,
    version bigint not null default 1,
    created bigint not null,
    updated bigint,
    checksum bigint not null
);

-- Every name that leads to an account: its own, and those it or a merged one had before.
create table account_names (
    name text collate "C" primary key,
    account_id bigint not null references accounts (id)
);
create index account_names_account on account_names (account_id);

create table balances (
    account_id bigint not null references accounts (id),
    date date not null,
    amount numeric not null,
    batch_id bigint,
    created bigint not null,
    checksum bigint not null,
    primary key (account_id, date)
);

create table securities (
    id bigint primary key,
    symbol text collate "C" not null,
    venue text collate "C",
    currency text collate "C" not null,
    name text collate "C",
    class text collate "C",
    isin text collate "C",
    cusip text collate "C",
    figi text collate "C",
    derived boolean not null,
    batch_id bigint,
    version bigint not null default 1,
    created bigint not null,
    updated bigint,
    checksum bigint not null
);
create index securities_symbol on securities (symbol);

-- What a data source calls a security, and (`former` and a number that counts up) what it was called
-- until a day.
create table security_symbols (
    security_id bigint not null references securities (id),
    source text collate "C" not null,
    symbol text collate "C" not null,
    valid_to date,
    checksum bigint not null,
    primary key (security_id, source)
);

create table prices (
    security_id bigint not null references securities (id),
    interval text collate "C" not null,
    at bigint not null,
    source text collate "C" not null,
    currency text collate "C" not null,
    open numeric,
    high numeric,
    low numeric,
    close numeric not null,
    volume numeric,
    quoted_in text collate "C",
    split_adjusted boolean not null default false,
    batch_id bigint,
    fetched bigint not null,
    checksum bigint not null,
    primary key (security_id, interval, at, source)
);

create table rates (
    base text collate "C" not null,
    quote text collate "C" not null,
    at bigint not null,
    source text collate "C" not null,
    rate numeric not null,
    batch_id bigint,
    fetched bigint not null,
    checksum bigint not null,
    primary key (base, quote, at, source)
);

-- What else was said of a price or rate. Without a body: by further batches, the same that the row
-- itself says. With one: what stood there until this revision. Batch 0 stands for a person's hand.
create table price_claims (
    security_id bigint not null,
    interval text collate "C" not null,
    at bigint not null,
    source text collate "C" not null,
    batch_id bigint not null,
    revision bigint,
    body text collate "C",
    primary key (security_id, interval, at, source, batch_id)
);

create table rate_claims (
    base text collate "C" not null,
    quote text collate "C" not null,
    at bigint not null,
    source text collate "C" not null,
    batch_id bigint not null,
    revision bigint,
    body text collate "C",
    primary key (base, quote, at, source, batch_id)
);

create table categories (
    id bigint primary key,
    name text collate "C" not null unique,
    parent_id bigint references categories (id),
    batch_id bigint,
    checksum bigint not null
);

-- The current version of every transaction, edits applied.
create table transactions (
    id bigint primary key,
    account_id bigint not null,
    content_key bytea not null,
    occurrence bigint not null default 0,
    origin text collate "C" not null,
    batch_id bigint,
    file_no bigint,
    line bigint,
    source_id text collate "C",
    seq bigint not null,
    rank bigint not null,
    version bigint not null default 1,
    deleted boolean not null default false,
    created bigint not null,
    updated bigint,
    trade_date date not null,
    settlement date,
    subtype text collate "C" not null,
    status text collate "C" not null default 'settled',
    security_id bigint,
    to_security_id bigint,
    quantity numeric,
    price numeric,
    fee numeric,
    tax numeric,
    currency text collate "C" not null,
    amount numeric not null,
    fx_rate numeric,
    multiplier numeric,
    ratio text collate "C",
    acquired date,
    cost_share numeric,
    link text collate "C",
    description text collate "C",
    category_id bigint,
    note text collate "C",
    quoted_in text collate "C",
    source_facts text collate "C",
    checksum bigint not null
);
-- One index serves two ends: what a row that comes again is, and the days in order.
create unique index transactions_identity
    on transactions (trade_date, content_key, account_id, occurrence);
create index transactions_source on transactions (source_id) where source_id is not null;
create index transactions_link on transactions (link) where link is not null;

-- Transactions refer to accounts, securities and categories. Foreign keys would look at them row by
-- row, which takes an import longer than to write them; these look at all rows of a statement.
create function refuse_dangling() returns trigger language plpgsql as $$
begin
    if exists (
        select from written t
        where not exists (select from accounts where id = t.account_id)
            or t.security_id is not null
                and not exists (select from securities where id = t.security_id)
            or t.to_security_id is not null
                and not exists (select from securities where id = t.to_security_id)
            or t.category_id is not null
                and not exists (select from categories where id = t.category_id)
    ) then
        raise foreign_key_violation using
            message = 'a transaction refers to an account, security or category that is not there';
    end if;
    return null;
end $$;
create trigger transactions_inserted after insert on transactions
    referencing new table as written for each statement execute function refuse_dangling();
create trigger transactions_updated after update on transactions
    referencing new table as written for each statement execute function refuse_dangling();

-- The other end of the same references; the argument is the column that refers.
create function refuse_while_referred() returns trigger language plpgsql as $$
declare
    referred boolean;
begin
    execute format(
        'select exists (select from transactions t join gone on gone.id = t.%I)', tg_argv[0]
    ) into referred;
    if referred then
        raise foreign_key_violation using
            message = format('transactions refer to what is deleted from %s', tg_table_name);
    end if;
    return null;
end $$;
create trigger accounts_deleted after delete on accounts referencing old table as gone
    for each statement execute function refuse_while_referred('account_id');
create trigger securities_deleted after delete on securities referencing old table as gone
    for each statement execute function refuse_while_referred('security_id');
create trigger to_securities_deleted after delete on securities referencing old table as gone
    for each statement execute function refuse_while_referred('to_security_id');
create trigger categories_deleted after delete on categories referencing old table as gone
    for each statement execute function refuse_while_referred('category_id');

create function refuse_new_id() returns trigger language plpgsql as $$
begin
    raise foreign_key_violation using message = format('an id of %s never changes', tg_table_name);
end $$;
create trigger accounts_id before update on accounts
    for each row when (old.id <> new.id) execute function refuse_new_id();
create trigger securities_id before update on securities
    for each row when (old.id <> new.id) execute function refuse_new_id();
create trigger categories_id before update on categories
    for each row when (old.id <> new.id) execute function refuse_new_id();

-- Where a row that was moved to another day would be looked for.
create table moved_rows (
    trade_date date not null,
    content_key bytea not null,
    account_id bigint not null,
    occurrence bigint not null,
    transaction_id bigint not null,
    primary key (trade_date, content_key, account_id, occurrence)
);
create index moved_rows_transaction on moved_rows (transaction_id);

-- The rows of a file as they stood in it, many to a piece: each a line number, a tab and the row,
-- reversibly escaped.
create table raw_records (
    id bigint primary key,
    batch_id bigint not null references batches (id),
    file_no bigint not null,
    first_line bigint not null,
    lines text collate "C" not null
);
-- To compress them takes longer than to write them as they are.
alter table raw_records alter column lines set storage external;
create unique index raw_records_place on raw_records (batch_id, file_no, first_line);

-- What a transaction was before each change.
create table transaction_versions (
    transaction_id bigint not null references transactions (id),
    version bigint not null,
    replaced bigint not null,
    op_id text collate "C" not null,
    batch_id bigint,
    cause text collate "C" not null,
    body text collate "C" not null,
    checksum bigint not null,
    primary key (transaction_id, version)
);

-- Every batch that contained a row, once there is more than the one named in the row itself, and
-- what it said: the version that agrees with it, and which of the fields that may be left out.
-- Batch 0 stands for a person's hand.
create table claims (
    transaction_id bigint not null references transactions (id),
    batch_id bigint not null,
    file_no bigint not null,
    line bigint not null,
    seq bigint not null,
    version bigint not null,
    said bigint not null,
    primary key (transaction_id, batch_id)
);

-- What something else than a transaction was before each change.
create table entity_versions (
    entity text collate "C" not null,
    entity_id bigint not null,
    version bigint not null,
    replaced bigint not null,
    op_id text collate "C" not null,
    body text collate "C" not null,
    primary key (entity, entity_id, version)
);

-- What imports said of an account, a security, a setting or a balance, field by field; with
-- revision 0 what stood there before the first of them, with batch 0 what a person said since.
create table sayings (
    entity text collate "C" not null,
    key text collate "C" not null,
    revision bigint not null,
    batch_id bigint not null,
    fields text collate "C" not null,
    primary key (entity, key, revision, batch_id)
);
create index sayings_batch on sayings (batch_id);

create table findings (
    id bigint primary key,
    kind text collate "C" not null,
    severity text collate "C" not null,
    transaction_id bigint,
    account_id bigint,
    security_id bigint,
    date date,
    detail text collate "C" not null,
    created bigint not null,
    settled bigint
);

create table watchlist (
    security_id bigint primary key references securities (id),
    note text collate "C",
    batch_id bigint,
    checksum bigint not null
);

create table alerts (
    id bigint primary key,
    security_id bigint not null references securities (id),
    direction text collate "C" not null,
    price numeric not null,
    note text collate "C",
    batch_id bigint,
    checksum bigint not null
);

create table targets (
    dimension text collate "C" not null,
    key text collate "C" not null,
    weight numeric not null,
    band numeric,
    batch_id bigint,
    checksum bigint not null,
    primary key (dimension, key)
);

-- Derived: kept beside the rows at write time, never a fact. Rows without an account or security
-- carry 0 there.
create table tally (
    account_id bigint not null,
    security_id bigint not null,
    currency text collate "C" not null,
    rows bigint not null,
    trades bigint not null,
    prices bigint not null,
    amount text collate "C" not null,
    primary key (account_id, security_id, currency)
);
