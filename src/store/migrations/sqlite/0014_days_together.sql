-- The days of accounts say more of each than they did: they are made again.
delete from account_days;
