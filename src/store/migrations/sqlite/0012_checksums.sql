-- Every row that is no figure has a checksum. Rows of before get theirs when the figures are made again,
-- which is due for that: only then they are complete.
alter table batches add column checksum integer;
alter table batch_files add column checksum integer;
alter table staged_rows add column checksum integer;
alter table raw_records add column checksum integer;
alter table claims add column checksum integer;
alter table price_claims add column checksum integer;
alter table rate_claims add column checksum integer;
alter table moved_rows add column checksum integer;
alter table entity_versions add column checksum integer;
alter table sayings add column checksum integer;
alter table findings add column checksum integer;
alter table account_names add column checksum integer;
alter table remote_accounts add column checksum integer;
alter table refreshes add column checksum integer;
insert into figures_due select 12 where exists (select 1 from applied_ops);
