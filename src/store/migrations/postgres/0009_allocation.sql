-- What securities are added up by beside their class.
alter table securities add column sector text collate "C";
alter table securities add column region text collate "C";
alter table securities add column tags text collate "C";
