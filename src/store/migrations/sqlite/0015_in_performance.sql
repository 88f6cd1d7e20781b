-- Whether an account counts in performance, where somebody says so.
alter table accounts add column performance text check (performance in ('yes', 'no'));
