-- What is charged for a move of money is no part of what is on its way.
insert into figures_due select 10 where exists (select 1 from transactions);
