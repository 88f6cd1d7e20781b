-- What the trail of another store said when a backup was made of it that was restored here: evidence
-- of what was done there, and no part of this store's own trail. Each restore counts one further.
create table audit_evidence (
    trail integer not null,
    seq integer not null,
    at integer not null,
    op_id text not null,
    action text not null,
    state text not null,
    actor text not null,
    detail text not null,
    primary key (trail, seq)
) strict, without rowid;
