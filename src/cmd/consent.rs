//! `connect` to a service whose consent is given in a browser. The browser may be on another machine:
//! what it ends at is pasted.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use zeroize::{Zeroize as _, Zeroizing};

use super::exit::{Error, Status};
use super::output::note;
use super::prompt::{can_ask, comes_within, passphrase, token_or};
use super::{Job, connect, vault};
use crate::cli::ConnectArgs;
use crate::model::{Connection, Secret};
use crate::oauth::{Certificate, Listener, Login, NotListening, PATIENCE};
use crate::service::consent::{self, Asking, TOO_LATE, ends};
use crate::service::{self, Session};
use crate::tasks::{self, Task};

const NO_TERMINAL: &str = "there is no terminal to ask for the address on that the browser ends at; \
     give it on the standard input with --paste, once the address to sign in at is printed";
const NO_APP: &str = "there is no terminal to ask for the key and the secret of the app on; put them \
     into a file of two lines, mode 0600, and name it in config.toml: [schwab] app_file";
const NOTHING: &str = "nothing was pasted";
/// No address is longer.
const LONGEST: usize = 16 << 10;

/// What is wrong with it before anything is touched.
pub fn check(args: &ConnectArgs) -> Result<(), Error> {
    match args.paste || can_ask() {
        true => Ok(()),
        false => Err(Error::Usage(NO_TERMINAL)),
    }
}

pub async fn connect(
    job: &mut Job<'_>,
    session: &Session,
    args: &ConnectArgs,
) -> Result<Status, Error> {
    // The key first: a consent is of no use where it cannot be kept.
    let given = job.config.unlocking.passphrases().map_err(service::Error::from)?;
    let (key, _) = vault::open(job, session, &mut given.into_iter()).await?;
    let (provider, name) = (&args.provider, args.name.clone());
    let mut asking = Asking::begin(session, job.config, key, provider, name).await?;
    if asking.app.is_none() {
        let (key, secret) = typed(&asking)?;
        asking.take_app(&key, &secret)?;
    }
    let login = Arc::new(asking.login()?);
    note(&format!(
        "dashtam: open this address in a browser, on any machine, and sign in to {}:\n\n{}\n\n\
         dashtam: the browser ends at an address that begins with {} and shows no page; copy all of \
         it within half a minute",
        asking.title(),
        login.url(),
        login.callback()
    ));
    let came = match args.paste || !can_ask() {
        true => None,
        false => wait_here(job, &login),
    };
    let answer = pasted(came.as_ref())?;
    connect::tell(job, &asking.finish(&login, &answer).await?)
}

/// Waits for a browser on this machine too, where that can be.
fn wait_here(job: &Job<'_>, login: &Arc<Login>) -> Option<Receiver<Secret>> {
    let certificate = match consent::certificate(job.config, job.clock) {
        Ok(certificate) => certificate,
        Err(error) => {
            note(&format!("dashtam: nobody waits for the browser here: {error}"));
            return None;
        }
    };
    let (tell, told) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    let login = Arc::clone(login);
    let started = tasks::thread(Task::Callback, move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(begun.send(Err(NotListening::Started(error)))),
        };
        runtime.block_on(async {
            let Certificate { shown, key, .. } = certificate;
            match Listener::begin(login.callback(), shown, key).await {
                Err(error) => drop(begun.send(Err(error))),
                Ok(listener) => {
                    drop(begun.send(Ok(())));
                    if let Some(answer) = listener.wait(&login, PATIENCE).await {
                        drop(tell.send(answer));
                    }
                }
            }
        });
    });
    // Whoever ends without a word has not begun.
    let started = started.map_err(NotListening::Started);
    match started.and_then(|()| has_begun.recv().unwrap_or(Err(NotListening::Ended))) {
        Ok(()) => {
            note(
                "dashtam: a browser on this machine need not be copied from: it warns of a certificate \
                 that dashtam made itself; go on, and the answer comes here within five minutes",
            );
            Some(told)
        }
        Err(error) => {
            note(&format!("dashtam: nobody waits for the browser here: {error}"));
            None
        }
    }
}

/// The key and the secret of the app, typed by somebody who does not see them.
fn typed(asking: &Asking<'_>) -> Result<(Secret, Secret), Error> {
    if !can_ask() {
        return Err(Error::Usage(NO_APP));
    }
    note(&format!(
        "dashtam: {} knows programs by an app that you register at {}",
        asking.title(),
        asking.portal()
    ));
    let key = passphrase("App key (it is not shown)")?;
    Ok((key, passphrase("App secret (it is not shown)")?))
}

/// What the browser ended at: typed by somebody who does not see it, else a line of the standard input.
fn pasted(came: Option<&Receiver<Secret>>) -> Result<Secret, Error> {
    if can_ask() {
        let begun = Instant::now();
        let came = || match came.and_then(|came| came.try_recv().ok()) {
            Some(answer) => Some(Ok(answer)),
            None => (begun.elapsed() > PATIENCE).then_some(Err(Error::Usage(TOO_LATE))),
        };
        return token_or("That address (it is not shown)", &came);
    }
    if std::io::stdin().is_terminal() {
        return Err(Error::Usage(NO_TERMINAL));
    }
    if !comes_within(PATIENCE) {
        return Err(Error::Usage(TOO_LATE));
    }
    let mut input = std::io::stdin().lock().take(LONGEST as u64);
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    while line.trim_ascii().is_empty() {
        if input.read_until(b'\n', &mut line).map_err(Error::Output)? == 0 {
            return Err(Error::Usage(NOTHING));
        }
    }
    let text = String::from_utf8(std::mem::take(&mut *line)).map_err(|error| {
        error.into_bytes().zeroize();
        Error::Usage(NOTHING)
    })?;
    Ok(Secret::new(text))
}

/// That a consent ends soon, while there is time to give it anew.
pub fn ending(connection: &Connection, now: DateTime<Utc>) -> Option<String> {
    let soon = connection.ends_soon(now.timestamp_micros())?;
    let left = DateTime::from_timestamp_micros(soon)? - now;
    let (label, on) = (&connection.label, ends(connection)?);
    let when = match left.num_hours() {
        _ if left <= TimeDelta::zero() => format!("ended on {on}"),
        0 => format!("ends within the hour, on {on}"),
        hours => format!("ends in {hours} h, on {on}"),
    };
    let anew = consent::anew(connection);
    Some(format!("dashtam: the consent of {label} {when}; {anew}"))
}
