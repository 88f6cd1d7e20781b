-- Whether an account counts in performance, where somebody says so.
alter table accounts add column performance text collate "C" check (performance in ('yes', 'no'));
