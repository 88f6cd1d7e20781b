-- What the trail of another store said when a backup was made of it that was restored here: evidence
-- of what was done there, and no part of this store's own trail. Each restore counts one further.
create table audit_evidence (
    trail bigint not null,
    seq bigint not null,
    at bigint not null,
    op_id text collate "C" not null,
    action text collate "C" not null,
    state text collate "C" not null,
    actor text collate "C" not null,
    detail text collate "C" not null,
    primary key (trail, seq)
);
