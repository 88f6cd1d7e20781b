//! The trail on a server belongs to a role that nobody logs in as, where an administrator saw to it:
//! then the role of the program may add to it and read it, and nothing else.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::super::{Error, Result, Server, Target};
use super::{AuditStore, schema};
use crate::model::SafeText;

/// The role that owns a guarded trail.
pub const AUDIT_OWNER: &str = "dashtam_audit_owner";

/// Whether the server itself keeps the program from changing its trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditGuard {
    /// Whose the trail is.
    pub owner: SafeText,
    /// Whether our role may do what the owner may.
    pub is_ours: bool,
}

impl AuditStore {
    /// Who guards the trail; none: it is a file, and whoever owns that may do anything.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn guard(&self) -> Result<Option<AuditGuard>> {
        const SQL: &str = "select pg_get_userbyid(relowner)::text, \
             pg_has_role(current_user, relowner, 'member') from pg_class \
             where oid = to_regclass('dashtam_audit.audit')";
        let Self::Postgres(pool) = self else { return Ok(None) };
        let found: Option<(String, bool)> = sqlx::query_as(SQL).fetch_optional(pool).await?;
        Ok(found.map(|(owner, is_ours)| AuditGuard { owner: SafeText::new(&owner), is_ours }))
    }

    /// Gives the trail of a database to the role that owns such, and leaves to the program's role the
    /// right to add and to read.
    ///
    /// # Errors
    /// When the administrator's address leads to another database, or its role may not do this.
    pub async fn give_away(trail: &Server, admin: &Server) -> Result<()> {
        let mut conn = PgConnection::connect_with(&admin.options()?).await?;
        let done = async {
            let mut tx = conn.begin().await?;
            let (database, me): (String, String) =
                sqlx::query_as("select current_database()::text, current_user::text")
                    .fetch_one(&mut *tx)
                    .await?;
            let app = trail.user.as_deref().unwrap_or("dashtam");
            if database != trail.database || me == app {
                let why = "--admin-url names another role of the same database".to_owned();
                return Err(Error::Right(why));
            }
            schema::make_postgres_in(&mut tx).await?;
            let app = quoted(app);
            let sql = format!(
                "do $$ begin if not exists (select 1 from pg_roles where rolname = '{AUDIT_OWNER}') \
                 then create role {AUDIT_OWNER} nologin; end if; end $$;
                 alter schema dashtam_audit owner to {AUDIT_OWNER};
                 alter table dashtam_audit.audit owner to {AUDIT_OWNER};
                 alter function dashtam_audit.refuse() owner to {AUDIT_OWNER};
                 alter function dashtam_audit.refuse_known() owner to {AUDIT_OWNER};
                 revoke all on schema dashtam_audit from public, {app};
                 revoke all on dashtam_audit.audit from public, {app};
                 grant usage on schema dashtam_audit to {app};
                 grant select, insert on dashtam_audit.audit to {app};"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(())
        };
        let done = done.await;
        let _ = conn.close().await;
        done
    }

    /// The trail of a server as its administrator sees it, for what the program's role may not do.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open_as(admin: &Server) -> Result<Self> {
        Self::open(&Target::Postgres(Box::new(admin.clone()))).await
    }
}

/// A name as SQL wants it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_is_a_name() {
        assert_eq!(super::quoted("a\"; drop"), "\"a\"\"; drop\"");
    }
}
