-- What one row sends several may bring, to several accounts: lots on their way are kept by both rows.
insert into figures_due select 6 where exists (select 1 from transactions);
