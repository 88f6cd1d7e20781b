//! The vault through the real program, and what it keeps in a store of either engine: who opens it,
//! who does not, and that nothing of a secret is left anywhere in clear.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dashtam::config::{Config, Database, Environment, Overrides, PostgresHost};
use dashtam::model::{Connection, ConnectionId, ConnectionState, SafeText, Secret};
use dashtam::service::doctor::{self, Harm, Verdict};
use dashtam::service::{self, backup, vault};
use dashtam::store::{SealedSecret, Store};
use dashtam::vault::{Key, Vault, open_kept, seal_kept};
use rustix::process::Signal;
use secrecy::{ExposeSecret as _, SecretString};
use support::engines::{Engine, engines, on_each};
use support::home::{Home, Ran, keys};
use support::terminal::{Terminal, dashtam, script};

const CANARY: &str = "c4n4ry-t0ken/+that=nobody&may?see";
const FIRST: &str = "correct horse battery";
const SECOND: &str = "entirely other words";

/// Runs a line with passphrases on its standard input, a line each.
fn with(home: &Home, passphrases: &[&str], line: &str) -> Ran {
    let mut command = home.command();
    command.env("DASHTAM_PASSPHRASE_FD", "0").args(line.split(' '));
    Ran::of(&command.write_stdin(passphrases.join("\n")).output().unwrap())
}

fn opened(home: &Home, passphrase: &str) -> Option<i32> {
    // It changes nothing, and needs the key.
    let own = home.json(&["vault", "status"])["recipient"].as_str().unwrap().to_owned();
    with(home, &[passphrase], &format!("vault recipients add {own}")).code
}

#[test]
fn a_vault_without_a_passphrase_is_open_to_its_owner_alone() {
    let home = Home::new();
    home.ok(&["migrate"]);
    home.say("vault status").refused(9, "dashtam vault init");
    assert_eq!(home.say("vault status --json").error(9)["kind"], "vault");
    home.say("vault init").refused(2, "--no-passphrase");
    home.ok(&["vault", "init", "--no-passphrase"]);
    home.say("vault init --no-passphrase").refused(2, "already");
    let status = home.json(&["vault", "status"]);
    let all = "opened others protection recipient schema sealed_unlike secrets unfinished";
    assert_eq!(keys(&status), support::home::sorted(all));
    assert_eq!(status["protection"], "file_mode");
    assert_eq!((&status["secrets"], &status["opened"]), (&0.into(), &0.into()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = home.data().join("vault");
    assert_eq!((mode(&folder), mode(&folder.join("key"))), (0o700, 0o600));
    // Of a process that was killed while it wrote the key.
    let left = folder.join(".dashtam-a1b2c3.tmp");
    fs::copy(folder.join("key"), &left).unwrap();
    home.ok(&["account", "add", "Jar", "--kind", "checking", "--currency", "USD"]);
    assert!(!left.exists());

    fs::set_permissions(folder.join("key"), fs::Permissions::from_mode(0o644)).unwrap();
    home.say("vault recipients rotate").refused(2, "chmod 600");
    let ran = home.say("doctor");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.out.contains("vault key") && ran.out.contains("chmod 600"), "{ran:?}");
    fs::set_permissions(folder.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let whole = fs::read(folder.join("key")).unwrap();
    fs::write(folder.join("key"), &whole[..whole.len() - 2]).unwrap();
    home.say("vault status").refused(9, "altered or cut off");
    assert_eq!(home.say("doctor").code, Some(7));
}

#[test]
fn a_passphrase_is_given_and_changed_and_never_left_anywhere() {
    let home = Home::new();
    with(&home, &["short"], "vault init").refused(2, "8 characters");
    assert_eq!(with(&home, &[FIRST], "vault init -vv").code, Some(0));
    let before = home.json(&["vault", "status"]);
    assert_eq!(before["protection"], "passphrase");
    assert!(before["opened"].is_null(), "nobody gave the key");
    let ran = with(&home, &[FIRST], "vault status --json");
    assert!(ran.out.contains("\"opened\":0"), "{ran:?}");
    home.say("vault recipients rotate").refused(9, "DASHTAM_PASSPHRASE_FD");
    with(&home, &[SECOND, SECOND], "vault passphrase").refused(9, "wrong");
    let ran = with(&home, &[FIRST], "vault passphrase");
    assert!(ran.code == Some(2) && ran.err.contains("new passphrase"), "{ran:?}");
    assert_eq!(with(&home, &[FIRST, SECOND], "vault passphrase -vv").code, Some(0));
    assert_eq!((opened(&home, FIRST), opened(&home, SECOND)), (Some(9), Some(0)));
    // A new key under the same passphrase, and it goes on to be told when it is read.
    assert_eq!(with(&home, &[SECOND], "vault recipients rotate").code, Some(0));
    assert_ne!(home.json(&["vault", "status"])["recipient"], before["recipient"]);
    assert_eq!(opened(&home, SECOND), Some(0));
    assert_eq!(found_below(home.root.path(), &[FIRST, SECOND]), [""; 0]);
    assert_eq!(with(&home, &[SECOND], "vault passphrase --remove").code, Some(0));
    assert_eq!(home.json(&["vault", "status"])["protection"], "file_mode");
    let ran = home.say("vault recipients rotate");
    assert!(ran.code == Some(0) && ran.err.contains("identity file"), "{ran:?}");
    assert!(!ran.err.contains("recipients remove"), "there is no other machine: {ran:?}");
    let old = home.json(&["vault", "status"])["recipient"].as_str().unwrap().to_owned();
    let other = Key::generate().recipient().unwrap().to_string();
    home.ok(&["vault", "recipients", "add", &other]);
    let ran = home.say("vault recipients rotate");
    assert!(ran.err.contains(&format!("recipients remove {old}")), "{ran:?}");
}

#[test]
fn a_key_in_a_file_opens_the_vault_it_belongs_to() {
    let (home, other) = (Home::new(), Home::new());
    home.ok(&["vault", "init", "--no-passphrase"]);
    other.ok(&["vault", "init", "--no-passphrase"]);
    let key = home.path("the key");
    fs::copy(home.data().join("vault/key"), &key).unwrap();
    assert_eq!(with(&home, &[FIRST], "vault passphrase").code, Some(0));
    let status = |home: &Home, credentials: bool| {
        let mut command = home.command();
        if credentials {
            let folder = home.path("credentials");
            fs::create_dir_all(&folder).unwrap();
            fs::copy(&key, folder.join("dashtam-identity")).unwrap();
            command.env("CREDENTIALS_DIRECTORY", folder);
        } else {
            command.env("DASHTAM_IDENTITY_FILE", &key);
        }
        Ran::of(&command.args(["vault", "status", "--json"]).output().unwrap())
    };
    for credentials in [true, false] {
        let ran = status(&home, credentials);
        assert!(ran.out.contains("\"opened\":0"), "{ran:?}");
        let error = status(&other, credentials).error(9);
        assert_eq!(error["kind"], "vault");
        assert!(error["hint"].as_str().unwrap().contains("rotate"), "{error}");
    }
    // It comes before a passphrase, and a new key has the passphrase all the same.
    let run = |passphrases: &[&str], line: &str| {
        let mut command = home.command();
        command.env("DASHTAM_PASSPHRASE_FD", "0").env("DASHTAM_IDENTITY_FILE", &key);
        command.args(line.split(' ')).write_stdin(passphrases.join("\n"));
        Ran::of(&command.output().unwrap())
    };
    run(&[], "vault recipients rotate").refused(9, "no passphrase");
    assert_eq!(run(&[SECOND], "vault passphrase").code, Some(0));
    assert_eq!(run(&[SECOND], "vault recipients rotate").code, Some(0));
    assert_eq!(home.json(&["vault", "status"])["protection"], "passphrase");
    fs::write(&key, "# no key\n").unwrap();
    let error = status(&home, false).error(9);
    assert!(error["message"].as_str().unwrap().starts_with("there is no key in"), "{error}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(status(&home, false).error(2)["kind"], "usage");
}

#[test]
fn a_person_is_asked_on_a_terminal_that_shows_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::run(dashtam(&home, "vault init"));
    terminal.see("New passphrase");
    // With a slip that is taken back.
    terminal.press(&format!("{FIRST}x\u{7f}\r"));
    terminal.see("The same again");
    terminal.press(&format!("nonsense\u{15}{FIRST}\r"));
    terminal.see("made the vault");
    let left = terminal.end();
    left.with_code(0).restored();
    assert!(!String::from_utf8_lossy(&left.bytes).contains("horse"), "it was shown");
    assert_eq!(opened(&home, FIRST), Some(0));

    let mut terminal = Terminal::run(dashtam(&home, "vault passphrase"));
    terminal.see("Passphrase");
    terminal.press("\u{3}");
    terminal.end().with_code(130).restored();
    assert_eq!(opened(&home, FIRST), Some(0), "nothing was changed");

    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut terminal = Terminal::run(dashtam(&home, "vault passphrase"));
        terminal.see("Passphrase");
        terminal.signal(signal);
        terminal.end().with_code(code).restored();
    }
}

/// What is left of something that was pasted is neither shown nor read by whoever comes next.
#[test]
fn what_was_pasted_beyond_a_line_is_gone() {
    let home = Home::new();
    let line = "\"$0\" vault init; echo over; read left; echo \"<$left>\"";
    let mut terminal = Terminal::run(script(&home, line));
    terminal.see("New passphrase");
    terminal.press(&format!("{FIRST}\r"));
    terminal.see("The same again");
    terminal.press("another one\rc4n4ry");
    terminal.see("over");
    terminal.press("\r");
    terminal.see("<>");
    let left = terminal.end();
    assert!(!String::from_utf8_lossy(&left.bytes).contains("c4n4ry"), "it was shown");
}

#[test]
fn what_is_too_long_is_refused_and_not_cut() {
    let home = Home::new();
    let mut terminal = Terminal::run(dashtam(&home, "vault init"));
    terminal.see("New passphrase");
    terminal.press(&format!("{}\r", "x".repeat(1025)));
    terminal.see("too long");
    terminal.end().with_code(2).restored();
    let mut terminal = Terminal::run(dashtam(&home, "vault init"));
    for question in ["New passphrase", "The same again"] {
        terminal.see(question);
        terminal.press(&format!("{}\r", "x".repeat(1024)));
    }
    terminal.see("made the vault");
    terminal.end().with_code(0).restored();
}

fn bank(id: i64) -> Connection {
    Connection {
        id: ConnectionId(id),
        provider: SafeText::new("simulated"),
        label: SafeText::new(&format!("Bank {id}")),
        state: ConnectionState::Active,
        since: 0,
        consent_expires: None,
        detail: None,
    }
}

/// A store with a vault and two connections that keep a secret each.
async fn with_secrets(engine: &Engine) -> Vault {
    let (session, config) = (&engine.session, &engine.config);
    vault::init(session, config, None).await.unwrap();
    let mut tx = session.store.write().await.unwrap();
    for id in [1, 2] {
        let connection = bank(id);
        tx.insert_connection(&connection).await.unwrap();
        let secret = Secret::new(format!("{CANARY} {id}"));
        let files = vault::of(config);
        let key = files.unprotected().unwrap();
        let row = seal_kept(&files, &key, connection.id, 0, &secret, 0).unwrap();
        tx.insert_secret(&row).await.unwrap();
    }
    tx.commit("secrets", "test", 0).await.unwrap();
    vault::of(config)
}

/// The numbers of the secrets that a key opens, each with what it should be.
async fn opens(engine: &Engine, key: &Key) -> Vec<i64> {
    let rows = engine.session.store.read().await.unwrap().secrets().await.unwrap();
    let opened = rows.iter().filter_map(|row| {
        let secret = open_kept(key, row).ok()?;
        assert_eq!(secret.expose(), format!("{CANARY} {}", row.connection));
        Some(row.connection.0)
    });
    opened.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_come_and_go_and_keys_are_renewed() {
    on_each(async |engine| {
        let (session, config) = (&engine.session, &engine.config);
        let files = with_secrets(engine).await;
        let first = files.unprotected().unwrap();
        let laptop = Key::generate();
        let name = laptop.recipient().unwrap();
        assert_eq!(opens(engine, &laptop).await, [0; 0]);
        let called = SafeText::new("laptop");
        vault::add_recipient(session, config, &first, name.clone(), called).await.unwrap();
        assert_eq!(opens(engine, &laptop).await, [1, 2]);
        assert_eq!(opens(engine, &first).await, [1, 2]);

        vault::rotate(session, config, files.unprotected().unwrap(), None).await.unwrap();
        let second = files.unprotected().unwrap();
        assert!(!second.is_being_renewed());
        assert_eq!(opens(engine, &first).await, [0; 0], "the old key opens nothing");
        assert_eq!(opens(engine, &second).await, [1, 2]);
        assert_eq!(opens(engine, &laptop).await, [1, 2]);

        vault::remove_recipient(session, config, &second, name.clone()).await.unwrap();
        assert_eq!(opens(engine, &laptop).await, [0; 0]);
        assert_eq!(opens(engine, &second).await, [1, 2]);
        let again = vault::remove_recipient(session, config, &second, name).await.unwrap_err();
        assert_eq!(again.kind(), "not_found");
        let status = vault::status(session, config, Some(&second)).await.unwrap();
        assert_eq!((status.secrets, status.opened, status.unlike), (2, Some(2), 0));
    })
    .await;
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Two terminals: what one opened, the other has made old before the first is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_changed_meanwhile_is_not_written_back() {
    on_each(async |engine| {
        let (session, config) = (&engine.session, &engine.config);
        let files = with_secrets(engine).await;
        let stale = || files.unprotected().unwrap();
        let (first, second, third) = (stale(), stale(), stale());
        vault::rotate(session, config, stale(), None).await.unwrap();
        let new = stale().recipient();
        let new_passphrase = Some(secret(FIRST));
        let error = vault::change_passphrase(session, config, first, new_passphrase).await;
        let errors = [
            error.unwrap_err(),
            vault::rotate(session, config, second, None).await.unwrap_err(),
            vault::add_recipient(
                session,
                config,
                &third,
                Key::generate().recipient().unwrap(),
                SafeText::default(),
            )
            .await
            .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), "vault");
            assert!(error.to_string().contains("changed meanwhile"), "{error}");
        }
        assert_eq!(stale().recipient(), new);
        assert!(files.read().unwrap().others().is_empty());
        assert_eq!(opens(engine, &stale()).await, [1, 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_has_the_passphrase_of_the_old_one_or_there_is_none() {
    let engine = support::engines::sqlite().await;
    let (session, config) = (&engine.session, &engine.config);
    let files = with_secrets(&engine).await;
    let key = || Key::parse(&secret(&fs::read_to_string(engine.folder().join("key")).unwrap()));
    fs::copy(files.path(), engine.folder().join("key")).unwrap();
    vault::change_passphrase(session, config, key().unwrap(), Some(secret(FIRST))).await.unwrap();
    let before = fs::read(files.path()).unwrap();
    // As an identity file gives it, which tells no passphrase; and with one that is not its own.
    for (passphrase, word) in [(None, "no passphrase"), (Some(secret(SECOND)), "wrong")] {
        let error = vault::rotate(session, config, key().unwrap(), passphrase).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(fs::read(files.path()).unwrap(), before);
    }
    fs::remove_file(files.folder().join("attempts")).unwrap();
    vault::rotate(session, config, key().unwrap(), Some(secret(FIRST))).await.unwrap();
    assert_eq!(files.read().unwrap().protection(), vault::Protection::Passphrase);
    let renewed = files.unlock(&secret(FIRST), &session.clock, |_| {}).unwrap();
    assert_eq!(opens(&engine, &renewed).await, [1, 2]);
    engine.close().await;
}

/// A mark that is made while all is sealed anew is seen there, or not made.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_presented_while_all_is_sealed_anew_stays_so() {
    for engine in engines().await {
        let files = with_secrets(&engine).await;
        let key = files.unprotected().unwrap();
        let store = &engine.session.store;
        let mut tx = store.write().await.unwrap();
        let rows = tx.secrets().await.unwrap();
        let (row, other) = (rows[0].clone(), store.clone());
        let marked = SealedSecret { presented: Some(7), serves_once: true, ..row.clone() };
        let marking = tokio::spawn(async move { other.mark_presented(&row, &marked).await });
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let names = [Key::generate().recipient().unwrap(), key.recipient().unwrap()];
        for row in rows {
            let place = vault_place(&row);
            let sealed = dashtam::vault::seal(&names, place, &secret("anew")).unwrap();
            tx.update_secret(&SealedSecret { sealed, ..row }).await.unwrap();
        }
        tx.commit("sealed anew", "test", 0).await.unwrap();
        let is_marked = marking.await.unwrap().unwrap();
        let now = store.read().await.unwrap().secrets().await.unwrap();
        assert_eq!(now[0].presented.is_some(), is_marked, "on {}", engine.name);
        engine.close().await;
    }
}

fn vault_place(row: &SealedSecret) -> dashtam::vault::Place {
    dashtam::vault::Place { connection: row.connection, generation: row.generation }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_was_struck_out_is_sealed_out_by_the_same_command_again() {
    on_each(async |engine| {
        let (session, config) = (&engine.session, &engine.config);
        let files = with_secrets(engine).await;
        let (key, laptop) = (files.unprotected().unwrap(), Key::generate());
        let name = || laptop.recipient().unwrap();
        let called = SafeText::new("laptop");
        vault::add_recipient(session, config, &key, name(), called).await.unwrap();
        // Stopped between the file and the store.
        let changing = files.change().unwrap();
        files.write(&files.read().unwrap().without(&name()), &key, &changing).unwrap();
        drop(changing);
        vault::remove_recipient(session, config, &key, name()).await.unwrap();
        assert_eq!(opens(engine, &laptop).await, [0; 0]);
        let again = vault::remove_recipient(session, config, &key, name()).await.unwrap_err();
        assert_eq!(again.kind(), "not_found");
    })
    .await;
}

/// Two machines at one store, each with a connection of its own before they know each other.
#[tokio::test(flavor = "multi_thread")]
async fn two_vaults_at_one_store_come_to_know_each_other() {
    on_each(async |engine| {
        let (session, here) = (&engine.session, &engine.config);
        let ours = with_secrets(engine).await.unprotected().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let data_dir = Some(folder.path().join("data"));
        let flags = Overrides { data_dir, ..Overrides::default() };
        let there = Config::load(&flags, &Environment::default()).unwrap();
        vault::init(session, &there, None).await.unwrap();
        let theirs = vault::of(&there).unprotected().unwrap();
        let mut tx = session.store.write().await.unwrap();
        tx.insert_connection(&bank(3)).await.unwrap();
        let text = secret(&format!("{CANARY} 3"));
        let row = seal_kept(&vault::of(&there), &theirs, ConnectionId(3), 0, &text, 0).unwrap();
        tx.insert_secret(&row).await.unwrap();
        tx.commit("another", "test", 0).await.unwrap();

        let (us, them) = (ours.recipient().unwrap(), theirs.recipient().unwrap());
        vault::add_recipient(session, here, &ours, them, SafeText::default()).await.unwrap();
        assert_eq!(opens(engine, &ours).await, [1, 2]);
        assert_eq!(opens(engine, &theirs).await, [1, 2, 3]);
        vault::add_recipient(session, &there, &theirs, us, SafeText::default()).await.unwrap();
        assert_eq!(opens(engine, &ours).await, [1, 2, 3]);
        // What is for a machine that is gone for good keeps nobody from a new key.
        let gone = [Key::generate().recipient().unwrap()];
        let mut tx = session.store.write().await.unwrap();
        let row = tx.secret(ConnectionId(3)).await.unwrap().unwrap();
        let sealed = dashtam::vault::seal(&gone, vault_place(&row), &text).unwrap();
        let sealed_for = gone[0].to_string();
        tx.update_secret(&SealedSecret { sealed, sealed_for, ..row }).await.unwrap();
        tx.commit("gone", "test", 0).await.unwrap();
        vault::rotate(session, here, ours, None).await.unwrap();
        assert_eq!(opens(engine, &vault::of(here).unprotected().unwrap()).await, [1, 2]);
    })
    .await;
}

/// T5.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_were_exchanged_or_altered_are_refused_and_change_nothing() {
    for engine in engines().await {
        let files = with_secrets(&engine).await;
        let key = files.unprotected().unwrap();
        let store = &engine.session.store;
        let kept = store.read().await.unwrap().secrets().await.unwrap();
        let mut swapped = kept.clone();
        swapped[0].sealed = kept[1].sealed.clone();
        swapped[1].sealed = kept[0].sealed.clone();
        let mut altered = kept.clone();
        *altered[1].sealed.last_mut().unwrap() ^= 1;
        for (rows, words) in [
            (&swapped, ["connection 1 ", "connection 2 "]),
            (&altered, ["connection 2 ", "damaged"]),
        ] {
            let mut tx = store.write().await.unwrap();
            for row in rows {
                tx.update_secret(row).await.unwrap();
            }
            tx.commit(&format!("wrong {}", words[1]), "test", 0).await.unwrap();
            let other = Key::generate().recipient().unwrap();
            let name = SafeText::default();
            let (session, config) = (&engine.session, &engine.config);
            let added = vault::add_recipient(session, config, &key, other, name).await;
            let error = added.unwrap_err();
            assert_eq!(error.kind(), "vault");
            let told = error.to_string();
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
            assert!(!told.contains(CANARY));
            let there = store.read().await.unwrap().secrets().await.unwrap();
            assert_eq!(there, *rows, "all or nothing, on {}", engine.name);
            assert!(files.read().unwrap().others().is_empty(), "who was refused is not named");
        }
        engine.close().await;
    }
}

/// T4: not in clear and in no simple disguise, in no file of the machine, in no export.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_secret_is_in_clear_anywhere() {
    for engine in engines().await {
        let files = with_secrets(&engine).await;
        let key = files.unprotected().unwrap();
        let (session, config) = (&engine.session, &engine.config);
        vault::rotate(session, config, key, None).await.unwrap();
        let path = engine.folder().join("whole.dashtam-backup");
        backup::run(session, &path, false).await.unwrap();
        let dump = engine.dump().await;
        assert!(!dump.contains("age") && !dump.contains("secrets"), "{dump}");
        fs::write(engine.folder().join("dump"), dump).unwrap();
        let rows = session.store.read().await.unwrap().secrets().await.unwrap();
        let rows: Vec<Vec<u8>> = rows.into_iter().map(|row| row.sealed).collect();
        fs::write(engine.folder().join("rows"), rows.concat()).unwrap();
        assert_eq!(found_below(engine.folder(), &[CANARY]), [""; 0], "on {}", engine.name);
        // It is seen where it is.
        fs::write(engine.folder().join("leak"), disguises(CANARY)[2].clone()).unwrap();
        assert_eq!(found_below(engine.folder(), &[CANARY]).len(), 1);
        engine.close().await;
    }
}

/// A store that was restored elsewhere opens with the key file of its first machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_the_secrets_sealed() {
    for engine in engines().await {
        let files = with_secrets(&engine).await;
        let path = engine.folder().join("whole.dashtam-backup");
        backup::run(&engine.session, &path, false).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let data_dir = Some(folder.path().join("data"));
        let flags = Overrides { data_dir, ..Overrides::default() };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        let clock = &engine.session.clock;
        let opened = service::Session::open(&config, clock, service::Access::Write).await.unwrap();
        let whole = service::restore::Backup::open(&path).unwrap();
        whole.restore(&opened).await.unwrap();
        let other = Engine::around(opened, folder);
        assert_eq!(opens(&other, &files.unprotected().unwrap()).await, [1, 2]);
        other.close().await;
        engine.close().await;
    }
}

/// Whoever loses the key must hear it, and that no backup of the database brings it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_gone_is_told_where_there_are_secrets() {
    let engine = support::engines::sqlite().await;
    let (config, environment) = (&engine.config, Environment::default());
    let told = async || {
        let clock = &engine.session.clock;
        let (config, environment) = (Some(config), &environment);
        let patient = doctor::Patient { config, broken: None, environment, clock };
        let checks = doctor::run(&patient).await;
        let verdict = |name: &str| checks.iter().find(|it| it.name.as_str() == name);
        let verdicts = ["vault key", "backup"].map(|name| verdict(name).map(|it| it.verdict));
        (verdicts[0], verdicts[1])
    };
    let files = with_secrets(&engine).await;
    assert_eq!(told().await, (Some(Verdict::Ok), Some(Verdict::Ok)));
    fs::write(files.path(), "cut").unwrap();
    assert_eq!(told().await, (Some(Verdict::Fail(Harm::Damage)), Some(Verdict::Ok)));
    fs::remove_dir_all(files.folder()).unwrap();
    assert_eq!(told().await, (Some(Verdict::Fail(Harm::Storage)), Some(Verdict::Ok)));
    let denied = std::io::ErrorKind::PermissionDenied.into();
    let error = dashtam::vault::Error::Io { path: files.path(), source: denied };
    assert_eq!(service::Error::from(error).kind(), "permission");
    engine.close().await;
}

/// Two stores in one database share a trail, and each is asked for what was done in it alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_a_schema_of_its_own_is_not_taken_for_the_usual_one() {
    let Some(engine) = support::engines::postgres().await else { return };
    let Store::Postgres(pool) = &engine.session.store else { panic!("a file") };
    sqlx::query("create schema apart").execute(pool).await.unwrap();
    let Database::Postgres(url) = &engine.config.database.value else { panic!("a file") };
    let PostgresHost::Network(host) = &url.host else { panic!("a socket") };
    let password = url.password.as_ref().map_or("", |it| it.expose_secret());
    let user = url.user.as_deref().unwrap_or("postgres");
    let address = format!(
        "postgres://{user}:{password}@{host}:{}/{}?sslmode=disable&options=-c%20search_path%3Dapart",
        url.port, url.database
    );
    let folder = tempfile::tempdir().unwrap();
    let flags = Overrides {
        data_dir: Some(folder.path().join("data")),
        database: Some(SecretString::from(address)),
        ..Overrides::default()
    };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    let clock = &engine.session.clock;
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2024-01-02,Bank,DEPOSIT,,,,,USD,5\n";
    engine.import(&[("a.csv", rows)]).await;
    let apart = service::Session::open(&config, clock, service::Access::Write).await.unwrap();
    vault::init(&apart, &config, None).await.unwrap();
    let mut tx = apart.store.write().await.unwrap();
    let attempt = apart.audit().unwrap().attempt("import", "files=1").await.unwrap();
    tx.insert_connection(&bank(1)).await.unwrap();
    tx.commit(&attempt.op().to_string(), "import", 0).await.unwrap();
    attempt.committed("").await;
    // One whose outcome only its own store can tell.
    let mut tx = apart.store.write().await.unwrap();
    let attempt = apart.audit().unwrap().attempt("import", "files=1").await.unwrap();
    tx.insert_connection(&bank(2)).await.unwrap();
    tx.commit(&attempt.op().to_string(), "import", 0).await.unwrap();
    let op = attempt.op().to_string();
    drop(attempt);
    let outcome = async |session: &service::Session| {
        let rows = session.audit().unwrap().rows().await.unwrap();
        let mut outcomes = rows.into_iter().filter(|row| row.op == op && row.state != "ATTEMPTED");
        outcomes.next().map(|row| row.state)
    };
    let engine = engine.reopen(service::Access::Write).await.unwrap();
    assert_eq!(outcome(&engine.session).await, None, "it is not its to settle");
    for config in [&engine.config, &config] {
        let (environment, broken) = (&Environment::default(), None);
        let patient = doctor::Patient {
            config: Some(config),
            broken,
            environment,
            clock: &engine.session.clock,
        };
        let checks = doctor::run(&patient).await;
        let last = checks.iter().find(|it| it.name.as_str() == "last change").unwrap();
        assert_eq!(last.verdict, Verdict::Ok, "{last:?}");
    }
    apart.close().await;
    let apart = service::Session::open(&config, &engine.session.clock, service::Access::Write)
        .await
        .unwrap();
    assert_eq!(outcome(&apart).await.as_deref(), Some("SUCCEEDED"));
    apart.close().await;
    engine.close().await;
}

/// A token that serves once may have been exchanged since the backup: it is not presented again.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_no_spent_token_back() {
    for engine in engines().await {
        let files = with_secrets(&engine).await;
        let mut tx = engine.session.store.write().await.unwrap();
        let key = files.unprotected().unwrap();
        let row = seal_kept(&files, &key, ConnectionId(1), 1, &secret("token"), 0).unwrap();
        tx.insert_secret(&SealedSecret { serves_once: true, ..row }).await.unwrap();
        tx.commit("renewed", "test", 0).await.unwrap();
        let path = engine.folder().join("whole.dashtam-backup");
        backup::run(&engine.session, &path, false).await.unwrap();
        let other = support::engines::sqlite().await;
        let whole = service::restore::Backup::open(&path).unwrap();
        whole.restore(&other.session).await.unwrap();
        let mut tx = other.session.store.read().await.unwrap();
        let rows = tx.secrets().await.unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.connection.0, row.generation, row.presented.is_some()))
            .collect();
        assert_eq!(told, [(1, 1, false), (1, 2, true), (2, 1, false)], "from {}", engine.name);
        let states: Vec<_> = tx.connections().await.unwrap().iter().map(|row| row.state).collect();
        assert_eq!(states, [ConnectionState::Failed, ConnectionState::Active]);
        drop(tx);
        assert_eq!(other.damage().await, [""; 0]);
        other.close().await;
        engine.close().await;
    }
}

/// A text as it is, in base64 from each of three beginnings, in hex, and as in an address.
fn disguises(text: &str) -> Vec<String> {
    let hex: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let hex = hex.concat();
    let address: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut all = vec![text.to_owned(), hex.to_uppercase(), hex, address];
    for skipped in 0..3 {
        let mut coded = base64(&text.as_bytes()[skipped..]);
        // The last letters depend on what comes behind.
        coded.truncate(coded.len() - 4);
        all.push(coded);
    }
    all
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| usize::from(three.get(at).copied().unwrap_or(0));
        let whole = byte(0) << 16 | byte(1) << 8 | byte(2);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(LETTERS[whole >> shift & 63]));
        }
    }
    text
}

/// The files below a folder in which one of these texts is, in whatever disguise.
fn found_below(folder: &Path, texts: &[&str]) -> Vec<String> {
    let words: Vec<String> = texts.iter().flat_map(|text| disguises(text)).collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(found_below(&path, texts));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let has = |word: &String| bytes.windows(word.len()).any(|part| part == word.as_bytes());
        let here = words.iter().find(|word| has(word));
        found.extend(here.map(|word| format!("{}: {word}", path.display())));
    }
    found
}
