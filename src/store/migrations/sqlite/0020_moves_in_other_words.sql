-- The same index in other words: for `in`, SQLite makes a table of the words anew for every row that
-- is written, an eighth of what an import takes.
drop index transactions_moves;
create index transactions_moves on transactions
    (trade_date, account_id, seq, rank, subtype, security_id, quantity, currency, amount, status, deleted)
    where link is null and (subtype = 'deposit' or subtype = 'withdrawal' or subtype = 'wire_in'
    or subtype = 'wire_out' or subtype = 'transfer_in' or subtype = 'transfer_out'
    or subtype = 'internal' or subtype = 'journal');
