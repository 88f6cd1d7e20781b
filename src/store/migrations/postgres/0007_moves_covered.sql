-- All that is asked of a move is in its index: of a million rows the moves lie far apart, and each
-- would be a page to read.
drop index transactions_moves;
create index transactions_moves on transactions
    (trade_date, account_id, seq, rank, subtype, security_id, quantity, currency, amount, status, deleted)
    where link is null and subtype in
    ('deposit', 'withdrawal', 'wire_in', 'wire_out', 'transfer_in', 'transfer_out', 'internal', 'journal');
