//! What a provider tells, delivered as a refresh delivers it.

use dashtam::ledger::{self, Delivered, Delivery, ToldAccount};
use dashtam::model::{AccountKind, Connection, Currency, Mode, NewAccount, OpId, Part, SafeText};
use dashtam::store::{Holder, RefreshRecord};

use super::engines::{Engine, clock};

/// A connection that nobody asks by himself.
pub async fn connect(engine: &Engine) -> Connection {
    let (store, label) = (&engine.session.store, SafeText::new("Bank"));
    let now = clock().now().timestamp_micros();
    let id = ledger::connect(store, "simulated", &label, None, OpId::at(0), now).await.unwrap();
    let all = store.read().await.unwrap().connections().await.unwrap();
    all.into_iter().find(|connection| connection.id == id).unwrap()
}

/// A checking account as it is first told.
pub fn checking(name: &str) -> NewAccount {
    NewAccount {
        name: SafeText::new(name),
        kind: AccountKind::Checking,
        currency: Currency::USD,
        mode: Mode::Ledger,
        method: None,
        institution: None,
        closed: None,
        performance: None,
    }
}

/// Delivers what was told of some accounts, none of it refused. `op` is the number of the operation.
pub async fn deliver(
    engine: &Engine,
    bank: &Connection,
    accounts: Vec<ToldAccount>,
    from_start: bool,
    op: u64,
) -> Delivered {
    let (store, now) = (&engine.session.store, clock().now().timestamp_micros());
    let refresh = RefreshRecord {
        connection: bank.id,
        part: Part::Accounts,
        attempted: now,
        succeeded: Some(now),
        failures: 0,
        why: None,
        next_attempt: None,
    };
    let holder = Holder { host: SafeText::new("here"), pid: 1, since: 0 };
    let lease = store.try_lease(&holder).await.unwrap().expect("nobody else has it");
    let (connection, is_cut_off) = (bank.clone(), false);
    let delivery = Delivery { connection, accounts, refresh, from_start, is_cut_off };
    let delivered = ledger::deliver(store, &lease, delivery, OpId::at(op), now).await.unwrap();
    lease.release().await.unwrap();
    assert_eq!(delivered.refused, []);
    delivered
}
