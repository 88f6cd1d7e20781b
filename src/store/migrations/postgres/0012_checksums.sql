-- Every row that is no figure has a checksum. Rows of before get theirs when the figures are made again,
-- which is due for that: only then they are complete.
alter table batches add column checksum bigint;
alter table batch_files add column checksum bigint;
alter table staged_rows add column checksum bigint;
alter table raw_records add column checksum bigint;
alter table claims add column checksum bigint;
alter table price_claims add column checksum bigint;
alter table rate_claims add column checksum bigint;
alter table moved_rows add column checksum bigint;
alter table entity_versions add column checksum bigint;
alter table sayings add column checksum bigint;
alter table findings add column checksum bigint;
alter table account_names add column checksum bigint;
alter table remote_accounts add column checksum bigint;
alter table refreshes add column checksum bigint;
insert into figures_due select 12 where exists (select 1 from applied_ops);
