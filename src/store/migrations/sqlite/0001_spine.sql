-- The first schema. Decimals are exact text; instants are microseconds since the epoch; days are
-- ISO dates. `checksum` covers the other columns of its row, so that silent damage is found.

create table store_state (
    id integer primary key check (id = 1),
    revision integer not null,
    next_id integer not null
) strict;
insert into store_state (id, revision, next_id) values (1, 0, 1);

create table applied_ops (
    op_id text primary key,
    action text not null,
    at integer not null,
    revision integer not null
) strict, without rowid;

create table settings (
    key text primary key,
    value text not null,
    checksum integer not null
) strict, without rowid;

create table institutions (
    id integer primary key,
    name text not null unique,
    batch_id integer,
    checksum integer not null
) strict;

create table connections (
    id integer primary key,
    provider text not null,
    label text not null unique,
    state text not null,
    state_since integer not null,
    consent_expires integer,
    detail text,
    checksum integer not null
) strict;

create table batches (
    id integer primary key,
    op_id text not null,
    created integer not null,
    undone integer
) strict;

create table batch_files (
    batch_id integer not null references batches (id),
    file_no integer not null,
    path text not null,
    format text not null,
    digest text not null,
    bytes integer not null,
    rows integer not null,
    new integer not null,
    duplicate integer not null,
    changed integer not null,
    conflict integer not null,
    refused integer not null,
    primary key (batch_id, file_no)
) strict, without rowid;

-- Rows of a batch that were not simply stored: refused, in conflict, or waiting for a decision.
create table staged_rows (
    batch_id integer not null references batches (id),
    file_no integer not null,
    line integer not null,
    part integer not null,
    verdict text not null,
    transaction_id integer,
    problem_column text,
    why text,
    raw text not null,
    primary key (batch_id, file_no, line, part)
) strict, without rowid;

create table accounts (
    id integer primary key,
    name text not null unique,
    kind text not null,
    currency text not null,
    mode text not null,
    method text,
    institution_id integer references institutions (id),
    connection_id integer references connections (id),
    closed text,
    derived integer not null,
    batch_id integer,
    version integer not null default 1,
    created integer not null,
    updated integer,
    checksum integer not null
) strict;

-- Every name that leads to an account: its own, and those it or a merged one had before.
create table account_names (
    name text primary key,
    account_id integer not null references accounts (id)
) strict, without rowid;
create index account_names_account on account_names (account_id);

create table balances (
    account_id integer not null references accounts (id),
    date text not null,
    amount text not null,
    batch_id integer,
    created integer not null,
    checksum integer not null,
    primary key (account_id, date)
) strict, without rowid;

create table securities (
    id integer primary key,
    symbol text not null,
    venue text,
    currency text not null,
    name text,
    class text,
    isin text,
    cusip text,
    figi text,
    derived integer not null,
    batch_id integer,
    version integer not null default 1,
    created integer not null,
    updated integer,
    checksum integer not null
) strict;
create index securities_symbol on securities (symbol);

-- What a data source calls a security, and (`former` and a number that counts up) what it was called
-- until a day.
create table security_symbols (
    security_id integer not null references securities (id),
    source text not null,
    symbol text not null,
    valid_to text,
    checksum integer not null,
    primary key (security_id, source)
) strict, without rowid;

create table prices (
    security_id integer not null references securities (id),
    interval text not null,
    at integer not null,
    source text not null,
    currency text not null,
    open text,
    high text,
    low text,
    close text not null,
    volume text,
    quoted_in text,
    split_adjusted integer not null default 0,
    batch_id integer,
    fetched integer not null,
    checksum integer not null,
    primary key (security_id, interval, at, source)
) strict, without rowid;

create table rates (
    base text not null,
    quote text not null,
    at integer not null,
    source text not null,
    rate text not null,
    batch_id integer,
    fetched integer not null,
    checksum integer not null,
    primary key (base, quote, at, source)
) strict, without rowid;

-- What else was said of a price or rate. Without a body: by further batches, the same that the row
-- itself says. With one: what stood there until this revision. Batch 0 stands for a person's hand.
create table price_claims (
    security_id integer not null,
    interval text not null,
    at integer not null,
    source text not null,
    batch_id integer not null,
    revision integer,
    body text,
    primary key (security_id, interval, at, source, batch_id)
) strict, without rowid;

create table rate_claims (
    base text not null,
    quote text not null,
    at integer not null,
    source text not null,
    batch_id integer not null,
    revision integer,
    body text,
    primary key (base, quote, at, source, batch_id)
) strict, without rowid;

create table categories (
    id integer primary key,
    name text not null unique,
    parent_id integer references categories (id),
    batch_id integer,
    checksum integer not null
) strict;

-- The current version of every transaction, edits applied.
create table transactions (
    id integer primary key,
    account_id integer not null references accounts (id),
    content_key blob not null,
    occurrence integer not null default 0,
    origin text not null,
    batch_id integer,
    file_no integer,
    line integer,
    source_id text,
    seq integer not null,
    rank integer not null,
    version integer not null default 1,
    deleted integer not null default 0,
    created integer not null,
    updated integer,
    trade_date text not null,
    settlement text,
    subtype text not null,
    status text not null default 'settled',
    security_id integer references securities (id),
    to_security_id integer references securities (id),
    quantity text,
    price text,
    fee text,
    tax text,
    currency text not null,
    amount text not null,
    fx_rate text,
    multiplier text,
    ratio text,
    acquired text,
    cost_share text,
    link text,
    description text,
    category_id integer references categories (id),
    note text,
    quoted_in text,
    source_facts text,
    checksum integer not null
) strict;
-- One index serves two ends: what a row that comes again is, and the days in order.
create unique index transactions_identity
    on transactions (trade_date, content_key, account_id, occurrence);
create index transactions_source on transactions (source_id) where source_id is not null;
create index transactions_link on transactions (link) where link is not null;

-- Where a row that was moved to another day would be looked for.
create table moved_rows (
    trade_date text not null,
    content_key blob not null,
    account_id integer not null,
    occurrence integer not null,
    transaction_id integer not null,
    primary key (trade_date, content_key, account_id, occurrence)
) strict, without rowid;
create index moved_rows_transaction on moved_rows (transaction_id);

-- The rows of a file as they stood in it, many to a piece: each a line number, a tab and the row,
-- reversibly escaped.
create table raw_records (
    id integer primary key,
    batch_id integer not null references batches (id),
    file_no integer not null,
    first_line integer not null,
    lines text not null
) strict;
create unique index raw_records_place on raw_records (batch_id, file_no, first_line);

-- What a transaction was before each change.
create table transaction_versions (
    transaction_id integer not null references transactions (id),
    version integer not null,
    replaced integer not null,
    op_id text not null,
    batch_id integer,
    cause text not null,
    body text not null,
    checksum integer not null,
    primary key (transaction_id, version)
) strict, without rowid;

-- Every batch that contained a row, once there is more than the one named in the row itself, and
-- what it said: the version that agrees with it, and which of the fields that may be left out.
-- Batch 0 stands for a person's hand.
create table claims (
    transaction_id integer not null references transactions (id),
    batch_id integer not null,
    file_no integer not null,
    line integer not null,
    seq integer not null,
    version integer not null,
    said integer not null,
    primary key (transaction_id, batch_id)
) strict, without rowid;

-- What something else than a transaction was before each change.
create table entity_versions (
    entity text not null,
    entity_id integer not null,
    version integer not null,
    replaced integer not null,
    op_id text not null,
    body text not null,
    primary key (entity, entity_id, version)
) strict, without rowid;

-- What imports said of an account, a security, a setting or a balance, field by field; with
-- revision 0 what stood there before the first of them, with batch 0 what a person said since.
create table sayings (
    entity text not null,
    key text not null,
    revision integer not null,
    batch_id integer not null,
    fields text not null,
    primary key (entity, key, revision, batch_id)
) strict, without rowid;
create index sayings_batch on sayings (batch_id);

create table findings (
    id integer primary key,
    kind text not null,
    severity text not null,
    transaction_id integer,
    account_id integer,
    security_id integer,
    date text,
    detail text not null,
    created integer not null,
    settled integer
) strict;

create table watchlist (
    security_id integer primary key references securities (id),
    note text,
    batch_id integer,
    checksum integer not null
) strict;

create table alerts (
    id integer primary key,
    security_id integer not null references securities (id),
    direction text not null,
    price text not null,
    note text,
    batch_id integer,
    checksum integer not null
) strict;

create table targets (
    dimension text not null,
    key text not null,
    weight text not null,
    band text,
    batch_id integer,
    checksum integer not null,
    primary key (dimension, key)
) strict, without rowid;

-- Derived: kept beside the rows at write time, never a fact. Rows without an account or security
-- carry 0 there.
create table tally (
    account_id integer not null,
    security_id integer not null,
    currency text not null,
    rows integer not null,
    trades integer not null,
    prices integer not null,
    amount text not null,
    primary key (account_id, security_id, currency)
) strict, without rowid;
