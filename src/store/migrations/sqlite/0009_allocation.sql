-- What securities are added up by beside their class.
alter table securities add column sector text;
alter table securities add column region text;
alter table securities add column tags text;
